"""The messages of the LiveKit dialect, and bytes ↔ messages.

Text messages are JSON objects with a `type`. A binary message is one window: `created_at` as eight
little-endian bytes, then the whole window as 16 kHz mono s16le.
"""

from typing import Annotated, Literal, cast, get_args

import msgspec
import orjson
from msgspec import Meta

SAMPLE_BYTES = 2
ID_BYTES = 8
MAX_WINDOW_SAMPLES = 48_000
"""3 s at 16 kHz."""
MAX_CREATED_AT = 2**64 - 1


class DialectError(Exception):
    """A message that breaks the dialect; becomes an `error` message, or an HTTP status.

    Args:
        code: an HTTP status code, which is what the clients expect.
        detail: one line for people.
    """

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of every text message; unknown fields are ignored."""


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for when it connects."""

    sample_rate: Literal[16000] = 16000
    num_channels: Literal[1] = 1
    encoding: Literal["s16le"] = "s16le"
    min_frames: Annotated[int, Meta(ge=0, le=120)] = 2
    """Consecutive frames that make an interruption; 0 is heard as 1."""
    threshold: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Probability from which a frame counts; absent or null: the server's default."""


class SessionCreate(_Message, frozen=True, kw_only=True, tag="session.create"):
    """Opens the session; the first message of every connection."""

    settings: SessionSettings = msgspec.field(default_factory=SessionSettings)


class SessionClose(_Message, frozen=True, kw_only=True, tag="session.close"):
    """Ends the session."""


class Window(msgspec.Struct, frozen=True):
    """One binary message: everything the client has of an overlap so far."""

    created_at: int
    """The client's name for it, to be given back bit for bit; two windows may have the same."""
    pcm: bytes
    """16 kHz mono s16le, at most 3 s."""

    @property
    def samples(self) -> int:
        """How long it is."""
        return len(self.pcm) // SAMPLE_BYTES


class SessionCreated(_Message, frozen=True, kw_only=True, tag="session.created"):
    """The session is open."""

    default_threshold: float
    """Used where the client asked for none; the clients insist on this field."""


class InferenceDone(_Message, frozen=True, kw_only=True, tag="inference_done"):
    """Answer to one window: no interruption so far."""

    created_at: int
    prediction_duration: float
    """Seconds."""
    probabilities: tuple[float, ...]
    """One per 25 ms of the window, oldest first."""


class BargeinDetected(_Message, frozen=True, kw_only=True, tag="bargein_detected"):
    """Answer to one window: the user is interrupting."""

    created_at: int
    prediction_duration: float
    """Seconds."""
    probabilities: tuple[float, ...]
    """One per 25 ms of the window, oldest first."""


class SessionClosed(_Message, frozen=True, kw_only=True, tag="session.closed"):
    """The session is over; the connection is closed next."""


class Error(_Message, frozen=True, kw_only=True, tag="error"):
    """Something was wrong with a message; the clients give adaptive interruption up."""

    message: str
    code: int
    session_id: str


ClientMessage = SessionCreate | SessionClose
Answer = InferenceDone | BargeinDetected
ServerMessage = SessionCreated | Answer | SessionClosed | Error

_CLIENT_TYPES = {str(struct.__struct_config__.tag) for struct in get_args(ClientMessage)}


def decode_text(data: str) -> ClientMessage:
    """Read a client's text message.

    Raises:
        DialectError: not JSON, an unknown type, or a setting that cannot be.
    """
    try:
        content: object = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DialectError(400, f"a text message is not JSON: {error}") from None
    kind = cast("dict[str, object]", content).get("type") if isinstance(content, dict) else None
    if kind not in _CLIENT_TYPES:
        known = ", ".join(sorted(_CLIENT_TYPES))
        raise DialectError(400, f"`type` is {str(kind)[:64]!r}; known are {known}")
    try:
        return cast("ClientMessage", msgspec.convert(content, ClientMessage))
    except msgspec.ValidationError as error:
        raise DialectError(400, f"{kind}: {error}") from None


def decode_window(data: bytes) -> Window:
    """Read a binary message.

    Raises:
        DialectError: too short for an id, or not a window (see `make_window`).
    """
    if len(data) < ID_BYTES:
        raise DialectError(400, f"a binary message of {len(data)} bytes has no `created_at`")
    return make_window(int.from_bytes(data[:ID_BYTES], "little"), data[ID_BYTES:])


def make_window(created_at: int, pcm: bytes) -> Window:
    """A window of this audio.

    Raises:
        DialectError: not a whole number of samples, or longer than 3 s.
    """
    if len(pcm) % SAMPLE_BYTES:
        raise DialectError(400, f"{len(pcm)} bytes are no whole number of 16 bit samples")
    if len(pcm) > MAX_WINDOW_SAMPLES * SAMPLE_BYTES:
        samples = len(pcm) // SAMPLE_BYTES
        raise DialectError(413, f"a window of {samples} samples; {MAX_WINDOW_SAMPLES} are the most")
    return Window(created_at, pcm)


def encode(message: ServerMessage) -> bytes:
    """Write a message as JSON."""
    return orjson.dumps(msgspec.to_builtins(message))
