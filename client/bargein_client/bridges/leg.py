"""One call without I/O: messages of the platform, the agent and Bargein in, things to do out."""

from bargein_protocol.audio import AudioFormat
from bargein_protocol.messages import Interruption, NonInterruption, ServerMessage
from msgspec import Struct
from msgspec.structs import replace

from bargein_client.bridges.events import (
    AgentAudio,
    BadMessageError,
    CallEnded,
    CallerAudio,
    CallStarted,
    PlaybackCleared,
)
from bargein_client.bridges.platform import Message, Platform
from bargein_client.bridges.playout import Playout, PlayoutState

MAX_COMPLAINTS = 20
"""What else is wrong with a call is left unsaid."""
PAUSE_MS = 500.0
"""Default of `pause_ms`."""


class ToPlatform(Struct, frozen=True):
    """Send this to the platform."""

    message: Message


class ToAgent(Struct, frozen=True):
    """Send this to the agent."""

    message: Message


class OpenSession(Struct, frozen=True):
    """Open a Bargein session with two tracks of this format."""

    call_id: str
    audio: AudioFormat
    metadata: dict[str, str]


class Hear(Struct, frozen=True):
    """Send this audio to the session: the caller, and what they heard of the agent meanwhile."""

    user: bytes
    agent: bytes


class AgentIs(Struct, frozen=True):
    """Tell the session whether the agent can be heard."""

    speaking: bool


class EndSession(Struct, frozen=True):
    """The call is over."""


class Complain(Struct, frozen=True):
    """Log that a message was not understood; it was passed on all the same."""

    reason: str


Action = ToPlatform | ToAgent | OpenSession | Hear | AgentIs | EndSession | Complain


class Leg:
    """One call.

    Args:
        platform: whose call it is; a fresh one.
        pause_ms: how long the agent must be quiet after an interruption until what it sends is a
            new answer and no longer dropped.
        notify: whether the agent is told of verdicts by extra messages.
    """

    def __init__(
        self, platform: Platform, *, pause_ms: float = PAUSE_MS, notify: bool = True
    ) -> None:
        self._platform = platform
        self._pause_ms = pause_ms
        self._notify = notify
        self._playout: Playout | None = None
        self._audio: AudioFormat | None = None
        self._complaints: set[str] = set()
        self._speaking = False

    def from_platform(self, message: Message) -> list[Action]:
        """The platform sent a message."""
        passed_on = ToAgent(self._platform.to_agent(message))
        try:
            event = self._platform.from_platform(message)
        except BadMessageError as error:
            return [passed_on, *self._complain(f"{self._platform.name}: {error}")]
        match event:
            case CallStarted():
                self._audio = event.audio
                self._playout = Playout(event.audio, pause_ms=self._pause_ms)
                tracks = replace(event.audio, tracks=("user", "agent"))
                return [OpenSession(event.call_id, tracks, event.metadata), passed_on]
            case CallerAudio():
                return [passed_on, *self._caller(event.payload)]
            case CallEnded():
                return [passed_on, EndSession()]
            case None:
                return [passed_on]

    def from_agent(self, message: Message) -> list[Action]:
        """The agent sent a message to the platform."""
        try:
            event = self._platform.from_agent(message)
        except BadMessageError as error:
            return [*self._pass_on(message), *self._complain(f"agent: {error}")]
        playout = self._playout
        if playout is None or event is None:
            return self._pass_on(message)
        if isinstance(event, PlaybackCleared):
            playout.clear()
            return [*self._pass_on(message), *self._agent_state()]
        return self._agent(event, message, playout)

    def verdict(self, event: ServerMessage) -> list[Action]:
        """Bargein said something; only verdicts matter here."""
        if not isinstance(event, Interruption | NonInterruption):
            return []
        told = self._platform.tell(event) if self._notify else None
        out: list[Action] = []
        if isinstance(event, Interruption) and self._playout is not None:
            self._playout.bar()
            out += [ToPlatform(message) for message in self._platform.clear()]
            out += self._agent_state()
        return out if told is None else [*out, ToAgent(told)]

    def _caller(self, payload: bytes) -> list[Action]:
        playout = self._playout
        if playout is None:
            return self._complain("audio came before the call was started")
        heard = playout.play(len(payload))
        played: list[Action] = []
        if heard and self._platform.paced:
            played.append(ToPlatform(self._platform.audio(heard)))
        reference = playout.reference(heard, len(payload))
        return [*self._agent_state(), Hear(payload, reference), *played]

    def _agent(self, event: AgentAudio, message: Message, playout: Playout) -> list[Action]:
        other = event.audio if event.audio != self._audio else None
        wanted = playout.offer(event.payload, other)
        complaints = [] if other is None else self._complain_of(other)
        if not wanted or self._platform.paced:
            return complaints
        return [*self._pass_on(message), *complaints]

    def _complain_of(self, other: AudioFormat) -> list[Action]:
        return self._complain(
            f"the agent sends {other.encoding} at {other.sample_rate} Hz, not what the call is "
            "in: Bargein knows when it speaks, but not its echo"
        )

    def _complain(self, reason: str) -> list[Action]:
        """Say what is wrong, once: it may be so fifty times a second."""
        if reason in self._complaints or len(self._complaints) == MAX_COMPLAINTS:
            return []
        self._complaints.add(reason)
        return [Complain(reason)]

    def _agent_state(self) -> list[Action]:
        speaking = self._playout is not None and self._playout.state is PlayoutState.PLAYING
        if speaking is self._speaking:
            return []
        self._speaking = speaking
        return [AgentIs(speaking)]

    def _pass_on(self, message: Message) -> list[Action]:
        return [ToPlatform(self._platform.to_platform(message))]
