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
MAX_GAP_MS = 60_000
"""The longest gap that one message may announce."""

SessionId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z")]
Milliseconds = Annotated[float, Meta(ge=0, le=1e10)]
Text = Annotated[str, Meta(max_length=16_384)]
Identifier = Annotated[str, Meta(min_length=1, max_length=256)]

Source = Literal["model", "vad", "transcript"]
Reason = Literal["backchannel", "noise", "echo", "agent_stopped", "too_short", "session_closed"]


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=False):
    """Base of every text message; unknown fields are ignored."""


class _ServerMessage(_Message, frozen=True, kw_only=True):
    seq: int = 0
    """1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused)."""


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

    duration_ms: Annotated[float, Meta(gt=0, le=MAX_GAP_MS)]
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
    """When the words began; absent: where the latest sound began."""
    end_ms: Milliseconds | UnsetType = UNSET
    """When the words ended; absent: where the latest sound ended, or now if it goes on."""
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
    """Which model: the family it belongs to."""
    version: str
    """Which of its trainings."""
    default_threshold: float
    """The threshold in effect where `options.threshold` is null."""


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The server that holds the session."""

    name: str
    """Always "bargein"."""
    version: str
    """The version of the package."""


class SessionCreated(_ServerMessage, frozen=True, kw_only=True, tag="session.created"):
    """The session is open, resumed or joined."""

    session_id: str
    """The session's name: the client's choice, or the server's."""
    resume_token: str
    """Secret; takes the session up again within the server's resume window."""
    attach_token: str
    """Secret; lets a second connection join the session."""
    options: Options
    """The effective options, all of them."""
    model: ModelInfo
    """What makes the predictions."""
    server: ServerInfo
    """What the client is talking to."""
    at_ms: float = 0.0
    """The audio clock: 0 for a new session, where to go on for a resumed or joined one."""


class SessionUpdated(_ServerMessage, frozen=True, kw_only=True, tag="session.updated"):
    """The answer to `session.update`."""

    at_ms: float
    """From when on they are in effect."""
    options: Options
    """The effective options, all of them."""


class SpeechStarted(_ServerMessage, frozen=True, kw_only=True, tag="speech.started"):
    """The user began to make sound (onset)."""

    at_ms: float
    """The onset."""


class SpeechStopped(_ServerMessage, frozen=True, kw_only=True, tag="speech.stopped"):
    """The user stopped making sound (offset); sent after the hangover."""

    at_ms: float
    """The last moment of sound."""


class OverlapOpened(_ServerMessage, frozen=True, kw_only=True, tag="overlap.started"):
    """User sound while the agent is speaking; exactly one verdict will follow."""

    overlap_id: int
    """1, 2, 3 … per session."""
    onset_ms: float
    """When the user's sound began, which may be before the agent's."""
    at_ms: float
    """When the overlap was opened."""


class Interruption(_ServerMessage, frozen=True, kw_only=True, tag="interruption"):
    """Verdict: the user is taking the floor."""

    overlap_id: int
    """The overlap that it decides."""
    onset_ms: float
    """As in `overlap.started`."""
    at_ms: float
    """The end of the audio that proved it."""
    probability: float | None
    """The highest value that `min_frames` consecutive frames reached; null without a prediction."""
    probabilities: tuple[float, ...]
    """Probability of an interruption per 25 ms frame since the onset, oldest first; of a sound that
    went on for longer than ten seconds the last 400."""
    detection_delay_ms: float
    """`at_ms` − `onset_ms`: how much sound it took."""
    inference_ms: float | None
    """Wall time of the prediction that proved it; null without one."""
    predictions: int
    """Predictions heard for this overlap."""
    source: Source
    """What proved it: "vad" within the start boundary or without a model."""


class NonInterruption(_ServerMessage, frozen=True, kw_only=True, tag="non_interruption"):
    """Verdict: the user is not taking the floor, or it could not be told (`agent_stopped`)."""

    overlap_id: int
    """The overlap that it decides."""
    onset_ms: float
    """As in `overlap.started`."""
    at_ms: float
    """When it was decided."""
    reason: Reason
    """What it was instead; "agent_stopped" and "session_closed" say that nobody can tell."""
    probability: float | None
    """As in `interruption`."""
    probabilities: tuple[float, ...]
    """As in `interruption`."""
    predictions: int
    """Predictions heard for this overlap."""
    source: Source
    """What decided it."""


class FalseInterruption(_ServerMessage, frozen=True, kw_only=True, tag="false_interruption"):
    """No user turn followed the interruption; the agent may resume."""

    overlap_id: int
    """The overlap whose verdict turned out to be false."""
    at_ms: float
    """When that was clear."""


class TranscriptReleased(_ServerMessage, frozen=True, kw_only=True, tag="transcript.released"):
    """These words are the user's turn."""

    id: str
    """As in `transcript`."""
    text: str
    """As in `transcript`."""
    start_ms: float
    """When the words began, as far as the server knows."""
    end_ms: float
    """When the words ended, as far as the server knows."""
    final: bool
    """As in `transcript`."""
    at_ms: float
    """When they were released."""


class TranscriptDropped(_ServerMessage, frozen=True, kw_only=True, tag="transcript.dropped"):
    """These words belong to a sound that was not an interruption: half of their time or more."""

    id: str
    """As in `transcript`."""
    reason: Reason
    """The verdict's."""
    at_ms: float
    """When they were dropped."""


class PredictionMade(_ServerMessage, frozen=True, kw_only=True, tag="prediction"):
    """One prediction; sent only if `options.predictions` is on."""

    overlap_id: int
    """The overlap that it heard."""
    at_ms: float
    """The end of the audio it heard."""
    probabilities: tuple[float, ...]
    """Probability of an interruption per new 25 ms frame."""
    classes: dict[str, float]
    """Every class's probability at the last frame."""
    inference_ms: float
    """Wall time it took."""


class Error(_ServerMessage, frozen=True, kw_only=True, tag="error"):
    """Something went wrong; the session lives on unless `fatal`."""

    code: str
    """A code of the table of errors."""
    message: str
    """Says whose fault it is and what to do."""
    fatal: bool
    """Whether the connection closes, with the close code of the table."""


class Warning(_ServerMessage, frozen=True, kw_only=True, tag="warning"):  # noqa: A001
    """Something looks wrong; nothing was lost."""

    code: str
    """A code of the table of warnings."""
    message: str
    """Says what looks wrong and what to do."""
    at_ms: float
    """When it was noticed."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What the session came to."""

    duration_ms: float
    """User audio, gaps and stalls included."""
    overlaps: int
    """Overlaps opened; each had one verdict."""
    interruptions: int
    """Verdicts `interruption`."""
    non_interruptions: int
    """Verdicts `non_interruption`."""
    false_interruptions: int
    """Interruptions that turned out to be false."""
    predictions: int
    """Predictions heard."""
    recording: str | None = None
    """The recording's name in the server's folder; null if there is none."""


class SessionClosed(_ServerMessage, frozen=True, kw_only=True, tag="session.closed"):
    """The last message of a session; the connection then closes with code 1000."""

    at_ms: float
    """The end of the session's audio."""
    summary: Summary
    """What the session came to."""


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

# ---------------------------------------------------------------------------- /v1/events


class Subscribed(_Message, frozen=True, kw_only=True, tag="subscribed"):
    """First on every connection to `/v1/events`."""

    log_id: str
    """Names the event log; another one (the server was restarted) numbers its events anew."""
    seq: int
    """The latest event so far; those after `after` follow if it was given, else the news only."""


class Event(_Message, frozen=True, kw_only=True, tag="event"):
    """Something that a session said."""

    seq: int
    """Its number in the log, over all sessions; holes are other sessions' or other types."""
    session_id: str
    """Whose event it is."""
    event: dict[str, Any]
    """The server message as the session's client got it, without its tokens."""
    metadata: dict[str, Any] | UnsetType = UNSET
    """The client's labels; with `session.created` only."""


class Missed(_Message, frozen=True, kw_only=True, tag="missed"):
    """The reader was away or slow for longer than the log keeps events."""

    count: int
    """Events of all sessions and types that are gone."""
    seq: int
    """The number of the last one that is gone."""


EventsMessage = Subscribed | Event | Missed
