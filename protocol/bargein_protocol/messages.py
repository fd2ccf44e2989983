"""Every message of the native protocol (`bargein.v1`), typed and frozen.

Text messages are JSON objects with a `type`; the class name is the type in CamelCase. Binary
messages are audio and have no class here (see `bargein_protocol.audio`). Times are milliseconds
on the audio clock: the user's audio since the session began, gaps included.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bargein_protocol.audio import AudioFormat
from bargein_protocol.options import Options, OptionsUpdate

SUBPROTOCOL = "bargein.v1"

SessionId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
Milliseconds = Annotated[float, Meta(ge=0, le=1e10)]
Text = Annotated[str, Meta(max_length=16_384)]
Identifier = Annotated[str, Meta(min_length=1, max_length=256)]

Source = Literal["model", "vad", "transcript"]
Reason = Literal["backchannel", "noise", "echo", "agent_stopped", "too_short", "session_closed"]


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=False):
    """Base of every text message; unknown fields are ignored."""


class _ServerMessage(_Message, frozen=True, kw_only=True):
    seq: int = 0
    """1, 2, 3 … per session; set when the message is put on the wire."""


class Resume(msgspec.Struct, frozen=True, kw_only=True):
    """Takes a session up again after the connection was lost."""

    token: str
    """The `resume_token` of `session.created`."""
    after: Annotated[int, Meta(ge=0)] = 0
    """The last `seq` that arrived; what came later is sent again."""


class Attach(msgspec.Struct, frozen=True, kw_only=True):
    """Joins a running session from a second connection (audio here, agent state there)."""

    token: str
    """The `attach_token` of `session.created`."""


# ---------------------------------------------------------------------------- client → server


class SessionCreate(_Message, frozen=True, kw_only=True, tag="session.create"):
    """Opens the session; the first message of every connection."""

    session_id: SessionId | UnsetType = UNSET
    """A name of the client's choice; absent: the server makes one up."""
    audio: AudioFormat = msgspec.field(default_factory=AudioFormat)
    """What the binary messages hold."""
    options: OptionsUpdate | None = msgspec.field(default_factory=dict[str, Any])
    """Settings that differ from the server's; null or {}: none does."""
    metadata: Annotated[dict[str, Any], Meta(max_length=64)] = msgspec.field(
        default_factory=dict[str, Any]
    )
    """Labels of the client's own; shown to subscribers and kept in recordings."""
    resume: Resume | UnsetType = UNSET
    """Continue a session whose connection was lost."""
    attach: Attach | UnsetType = UNSET
    """Join the running session `session_id` from a second connection."""
    record: bool = False
    """Ask for a recording; refused unless the server was started with --record."""


class AudioGap(_Message, frozen=True, kw_only=True, tag="audio.gap"):
    """Some user audio was not sent (muted track, DTX, lost packets); it counts as silence."""

    duration_ms: Annotated[float, Meta(gt=0, le=600_000)]
    """How much was left out."""


class AgentStarted(_Message, frozen=True, kw_only=True, tag="agent.started"):
    """The agent's speech became audible (playout, not generation). Idempotent."""

    at_ms: Milliseconds | UnsetType = UNSET
    """When, on the audio clock; absent: now."""


class AgentStopped(_Message, frozen=True, kw_only=True, tag="agent.stopped"):
    """The agent's speech ceased to be audible. Idempotent: the first stop wins."""

    at_ms: Milliseconds | UnsetType = UNSET
    """When, on the audio clock; absent: now."""


class OverlapStarted(_Message, frozen=True, kw_only=True, tag="overlap.started"):
    """The client's own VAD heard the user begin; with overlap = "server" a hint to open earlier."""

    at_ms: Milliseconds | UnsetType = UNSET
    """When the client noticed, on the audio clock; absent: now."""
    speech_duration_ms: Milliseconds = 0
    """How long the user had been sounding by then; the onset is `at_ms` minus this."""


class OverlapEnded(_Message, frozen=True, kw_only=True, tag="overlap.ended"):
    """The client's own VAD heard the user stop."""

    at_ms: Milliseconds | UnsetType = UNSET
    """When, on the audio clock; absent: now."""


class Transcript(_Message, frozen=True, kw_only=True, tag="transcript"):
    """Words of the user, from the client's recogniser, to be held until the verdict."""

    id: Identifier
    """The client's name for this transcript; comes back with the release or the drop."""
    text: Text
    """The words."""
    start_ms: Milliseconds | UnsetType = UNSET
    """When the words began; absent: as `end_ms`."""
    end_ms: Milliseconds | UnsetType = UNSET
    """When the words ended; absent: now."""
    final: bool = True
    """Whether the recogniser may still change its mind."""


class SessionUpdate(_Message, frozen=True, kw_only=True, tag="session.update"):
    """Changes options in place; predictions asked for under the old ones are dropped."""

    options: OptionsUpdate | None
    """Absent fields stay, {} changes nothing, null restores the server's defaults."""


class SessionClose(_Message, frozen=True, kw_only=True, tag="session.close"):
    """Ends the session; the answer is `session.closed`."""


ClientMessage = (
    SessionCreate
    | AudioGap
    | AgentStarted
    | AgentStopped
    | OverlapStarted
    | OverlapEnded
    | Transcript
    | SessionUpdate
    | SessionClose
)

# ---------------------------------------------------------------------------- server → client


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The model that makes the predictions."""

    name: str
    version: str
    default_threshold: float


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The server that holds the session."""

    name: str
    version: str


class SessionCreated(_ServerMessage, frozen=True, kw_only=True, tag="session.created"):
    """The session is open, resumed or joined."""

    session_id: str
    resume_token: str
    """Secret; takes the session up again within the server's resume window."""
    attach_token: str
    """Secret; lets a second connection join the session."""
    options: Options
    """The effective options, all of them."""
    model: ModelInfo
    server: ServerInfo
    at_ms: float = 0.0
    """The audio clock: 0 for a new session, where to go on for a resumed or joined one."""


class SessionUpdated(_ServerMessage, frozen=True, kw_only=True, tag="session.updated"):
    """The answer to `session.update`."""

    at_ms: float
    options: Options
    """The effective options, all of them."""


class SpeechStarted(_ServerMessage, frozen=True, kw_only=True, tag="speech.started"):
    """The user began to make sound (onset)."""

    at_ms: float


class SpeechStopped(_ServerMessage, frozen=True, kw_only=True, tag="speech.stopped"):
    """The user stopped making sound (offset); sent after the hangover."""

    at_ms: float
    """The last moment of sound."""


class OverlapOpened(_ServerMessage, frozen=True, kw_only=True, tag="overlap.started"):
    """User sound while the agent is speaking; exactly one verdict will follow."""

    overlap_id: int
    onset_ms: float
    at_ms: float


class Interruption(_ServerMessage, frozen=True, kw_only=True, tag="interruption"):
    """Verdict: the user is taking the floor."""

    overlap_id: int
    onset_ms: float
    at_ms: float
    """The end of the audio that proved it."""
    probability: float | None
    """The highest value that `min_frames` consecutive frames reached; null without a prediction."""
    probabilities: tuple[float, ...]
    """Probability of an interruption per 25 ms frame since the onset, oldest first."""
    detection_delay_ms: float
    """`at_ms` − `onset_ms`: how much sound it took."""
    inference_ms: float | None
    """Wall time of the prediction that proved it; null without one."""
    predictions: int
    """Predictions heard for this overlap."""
    source: Source


class NonInterruption(_ServerMessage, frozen=True, kw_only=True, tag="non_interruption"):
    """Verdict: the user is not taking the floor, or it could not be told (`agent_stopped`)."""

    overlap_id: int
    onset_ms: float
    at_ms: float
    reason: Reason
    probability: float | None
    """As in `interruption`."""
    probabilities: tuple[float, ...]
    """As in `interruption`."""
    predictions: int
    """Predictions heard for this overlap."""
    source: Source


class FalseInterruption(_ServerMessage, frozen=True, kw_only=True, tag="false_interruption"):
    """No user turn followed the interruption; the agent may resume."""

    overlap_id: int
    at_ms: float


class TranscriptReleased(_ServerMessage, frozen=True, kw_only=True, tag="transcript.released"):
    """These words are the user's turn."""

    id: str
    text: str
    start_ms: float
    end_ms: float
    final: bool
    at_ms: float


class TranscriptDropped(_ServerMessage, frozen=True, kw_only=True, tag="transcript.dropped"):
    """These words belong to a sound that was not an interruption."""

    id: str
    reason: Reason
    at_ms: float


class PredictionMade(_ServerMessage, frozen=True, kw_only=True, tag="prediction"):
    """One prediction; sent only if `options.predictions` is on."""

    overlap_id: int
    at_ms: float
    """The end of the audio it heard."""
    probabilities: tuple[float, ...]
    """Probability of an interruption per new 25 ms frame."""
    classes: dict[str, float]
    """Every class's probability at the last frame."""
    inference_ms: float


class Error(_ServerMessage, frozen=True, kw_only=True, tag="error"):
    """Something went wrong; the session lives on unless `fatal`."""

    code: str
    message: str
    """Says whose fault it is and what to do."""
    fatal: bool


class Warning(_ServerMessage, frozen=True, kw_only=True, tag="warning"):  # noqa: A001
    """Something looks wrong; nothing was lost."""

    code: str
    message: str
    at_ms: float


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What the session came to."""

    duration_ms: float
    overlaps: int
    interruptions: int
    non_interruptions: int
    false_interruptions: int
    predictions: int
    recording: str | None = None


class SessionClosed(_ServerMessage, frozen=True, kw_only=True, tag="session.closed"):
    """The last message of a session; the connection then closes with code 1000."""

    at_ms: float
    summary: Summary


ServerMessage = (
    SessionCreated
    | SessionUpdated
    | SpeechStarted
    | SpeechStopped
    | OverlapOpened
    | Interruption
    | NonInterruption
    | FalseInterruption
    | TranscriptReleased
    | TranscriptDropped
    | PredictionMade
    | Error
    | Warning
    | SessionClosed
)
Verdict = Interruption | NonInterruption
