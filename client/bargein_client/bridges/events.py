"""What happens in a call, in one vocabulary for all platforms."""

from bargein_protocol.audio import AudioFormat
from msgspec import Struct


class CallStarted(Struct, frozen=True):
    """The platform has connected a call."""

    call_id: str
    """The platform's name for it."""
    audio: AudioFormat
    """How the caller's audio is encoded, and the agent's unless it says otherwise; one track."""
    metadata: dict[str, str] = {}
    """What else the platform says about the call."""


class CallerAudio(Struct, frozen=True):
    """What the caller said."""

    payload: bytes
    """In the call's encoding."""


class CallEnded(Struct, frozen=True):
    """The call, or its stream, is over."""


class AgentAudio(Struct, frozen=True):
    """What the agent wants the caller to hear; platforms queue it and play it in real time."""

    payload: bytes
    audio: AudioFormat | None = None
    """How it is encoded; None: as the call is."""


class PlaybackCleared(Struct, frozen=True):
    """The agent itself told the platform to drop what is queued."""


PlatformEvent = CallStarted | CallerAudio | CallEnded
AgentEvent = AgentAudio | PlaybackCleared


class BadMessageError(ValueError):
    """A message that is not what the platform's documentation says; the call goes on."""
