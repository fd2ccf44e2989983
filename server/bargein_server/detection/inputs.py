"""What a detector is told: one frozen value per thing that happened, in order.

A recording is the list of these values, so each can be written as JSON (the PCM apart). Positions
and durations are samples at 16 kHz.
"""

from typing import Literal

import msgspec
from bargein_protocol.options import Options

Position = int
"""Samples of user audio at 16 kHz since the session began, gaps and ticks included."""


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class _Input(msgspec.Struct, frozen=True, tag_field="type", tag=_snake):
    """Base of every input."""


class UserAudio(_Input, frozen=True):
    """User audio that follows what came before; moves the position."""

    pcm: bytes
    """16 kHz mono s16le."""


class AgentAudio(_Input, frozen=True):
    """What the loudspeaker plays, the echo reference; does not move the position."""

    pcm: bytes
    """16 kHz mono s16le."""


class Gap(_Input, frozen=True):
    """User audio that the client says was not sent; moves the position, heard as silence."""

    duration: int


class Tick(_Input, frozen=True):
    """Time that passed while audio stalled; moves the position, heard as silence."""

    duration: int


class AgentStarted(_Input, frozen=True):
    """The agent became audible."""

    at: Position


class AgentStopped(_Input, frozen=True):
    """The agent ceased to be audible."""

    at: Position


class OverlapStarted(_Input, frozen=True):
    """The client's VAD heard an onset, at `at` minus `speech_duration`."""

    at: Position
    speech_duration: int


class OverlapEnded(_Input, frozen=True):
    """The client's VAD heard an offset."""

    at: Position


class Transcript(_Input, frozen=True):
    """Words of the user that may have to wait for a verdict."""

    id: str
    text: str
    start: Position | None
    """None: where the latest sound began."""
    end: Position | None
    """None: where the latest sound ended, or now if it goes on."""
    final: bool


class OptionsChanged(_Input, frozen=True):
    """New effective options; whatever was asked for under the old ones is void.

    `threshold` has been resolved: it is never None here.
    """

    options: Options


class ClassProbabilities(msgspec.Struct, frozen=True, array_like=True):
    """What one frame's evidence says; sums to 1."""

    interruption: float
    backchannel: float
    vocal: float
    noise: float
    echo: float


class Prediction(_Input, frozen=True):
    """The model's answer to one `RequestPrediction`."""

    overlap_id: int
    epoch: int
    end: Position
    """The end of the audio it heard, as requested."""
    frames: tuple[ClassProbabilities, ...]
    """One per 25 ms of the audio that was new in the request, oldest first."""
    inference_us: int
    """Wall time it took."""


class PredictionFailed(_Input, frozen=True):
    """No answer will come to one `RequestPrediction`."""

    overlap_id: int
    epoch: int
    end: Position
    cause: Literal["error", "timeout", "overload"]


class SessionEnded(_Input, frozen=True):
    """The session is over; every open question is answered now."""


Input = (
    UserAudio
    | AgentAudio
    | Gap
    | Tick
    | AgentStarted
    | AgentStopped
    | OverlapStarted
    | OverlapEnded
    | Transcript
    | OptionsChanged
    | Prediction
    | PredictionFailed
    | SessionEnded
)
