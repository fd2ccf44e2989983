"""Everything that can go wrong, whose fault it is, and what the other side should do about it.

This table is the only place: the server closes by it, the clients decide by it whether to try
again, and `protocol/README.md` prints it.
"""

from enum import Enum
from typing import Literal, NamedTuple

Fault = Literal["client", "server", "network"]
Retry = Literal["never", "later", "resume"]


class _Row(NamedTuple):
    code: str
    fault: Fault
    close_code: int | None
    retry: Retry
    meaning: str


class ErrorCode(Enum):
    """One row per error: wire code, fault, WebSocket close code (None: the session lives), retry.

    `retry` tells a client that lost its connection this way what to do: "never" (the same attempt
    would fail again), "later" (a new session, after a pause), "resume" (take the session up again).
    """

    INVALID_JSON = _Row("invalid_json", "client", None, "never", "a text message is not JSON")
    INVALID_MESSAGE = _Row(
        "invalid_message", "client", None, "never", "a field is missing, mistyped or out of range"
    )
    UNKNOWN_TYPE = _Row("unknown_type", "client", None, "never", "no message has this `type`")
    INVALID_OPTIONS = _Row(
        "invalid_options",
        "client",
        None,
        "never",
        "an option is mistyped, out of its range, or at odds with another",
    )
    INVALID_AUDIO = _Row(
        "invalid_audio",
        "client",
        None,
        "never",
        "a binary message is no audio frame of this session",
    )
    INVALID_MARKER = _Row(
        "invalid_marker", "client", None, "never", "`at_ms` lies too far in the past or the future"
    )
    UNEXPECTED_MESSAGE = _Row(
        "unexpected_message", "client", None, "never", "a message that is not legal at this point"
    )
    NOT_OPEN = _Row(
        "not_open", "client", 4400, "never", "the first message of a connection is `session.create`"
    )
    CREATE_TIMEOUT = _Row(
        "create_timeout", "client", 4408, "later", "no `session.create` came in time"
    )
    UNAUTHORIZED = _Row("unauthorized", "client", 4401, "never", "no token, or not a valid one")
    FORBIDDEN = _Row("forbidden", "client", 4403, "never", "the token does not allow this")
    UNKNOWN_SESSION = _Row(
        "unknown_session", "client", 4404, "later", "no such session, or it has ended"
    )
    SESSION_EXISTS = _Row("session_exists", "client", 4409, "never", "the session id is taken")
    RECORDING_REFUSED = _Row(
        "recording_refused", "client", 4412, "never", "the server does not record on request"
    )
    MESSAGE_TOO_BIG = _Row(
        "message_too_big", "client", 1009, "never", "a message over the size limit"
    )
    AUDIO_TOO_FAST = _Row(
        "audio_too_fast", "client", 4429, "later", "audio ran too far ahead of real time"
    )
    SLOW_CONSUMER = _Row(
        "slow_consumer", "client", 4410, "resume", "the client does not read its events"
    )
    IDLE_TIMEOUT = _Row(
        "idle_timeout", "client", 4411, "later", "no message for longer than the server allows"
    )
    SESSION_TOO_LONG = _Row(
        "session_too_long", "client", 4413, "later", "the longest duration of a session is reached"
    )
    REPLACED = _Row(
        "replaced", "client", 4414, "never", "another connection has resumed this session"
    )
    RESUME_TOO_OLD = _Row(
        "resume_too_old", "client", 4415, "later", "messages after `after` are no longer held"
    )
    CONNECTION_LOST = _Row(
        "connection_lost",
        "network",
        1006,
        "resume",
        "the connection broke without a close, or with 1011 `keepalive ping timeout`",
    )
    SERVER_FULL = _Row("server_full", "server", 4503, "later", "the server holds all it can")
    SHUTTING_DOWN = _Row("shutting_down", "server", 1012, "later", "the server is restarting")
    INTERNAL_ERROR = _Row("internal_error", "server", 1011, "later", "a fault of the server")

    @property
    def code(self) -> str:
        """The `code` on the wire."""
        return self.value.code

    @property
    def fault(self) -> Fault:
        """Whose fault it is."""
        return self.value.fault

    @property
    def close_code(self) -> int | None:
        """The WebSocket close code; None if the session lives on."""
        return self.value.close_code

    @property
    def retry(self) -> Retry:
        """What a client that lost its connection this way should do."""
        return self.value.retry

    @property
    def meaning(self) -> str:
        """One line for people."""
        return self.value.meaning


_BY_CLOSE_CODE = {code.close_code: code for code in ErrorCode if code.close_code is not None}


PING_TIMEOUT = "keepalive ping timeout"
"""The reason with which the transport closes (1011) when pings are not answered."""


def error_for_close(close_code: int, reason: str = "") -> ErrorCode | None:
    """The error behind a WebSocket close; None for an ordinary end (1000, 1001)."""
    if close_code in {1000, 1001}:
        return None
    if reason == PING_TIMEOUT:
        return ErrorCode.CONNECTION_LOST
    return _BY_CLOSE_CODE.get(close_code, ErrorCode.CONNECTION_LOST)


class ProtocolError(Exception):
    """A message that breaks the protocol; becomes an `error` message on the wire."""

    def __init__(self, code: ErrorCode, detail: str) -> None:
        super().__init__(f"{code.code}: {detail}")
        self.code = code
        self.detail = detail

    @property
    def fatal(self) -> bool:
        """Whether the connection closes."""
        return self.code.close_code is not None


class WarningCode(Enum):
    """What looks wrong although nothing is lost: wire code and meaning."""

    ALL_ZERO_AUDIO = (
        "all_zero_audio",
        "user audio has been digital silence for seconds: wrong track?",
    )
    CLIPPED_AUDIO = ("clipped_audio", "user audio is clipping: lower the gain")
    DC_OFFSET = ("dc_offset", "user audio has a constant offset: a broken source or encoding")
    AUDIO_SLOW = (
        "audio_slow",
        "user audio arrives slower than real time; ticks fill in as silence",
    )
    AUDIO_FAST = ("audio_fast", "user audio arrives faster than real time")
    MODEL_FALLBACK = (
        "model_fallback",
        "the model does not answer; verdicts come by VAD until it does",
    )
    MODEL_RECOVERED = ("model_recovered", "the model answers again")
    NO_TRANSCRIPTS = (
        "no_transcripts",
        "`false_interruption_ms` is on but no transcript ever came: every interruption looks false",
    )
    TRANSCRIPTS_OVERFLOW = (
        "transcripts_overflow",
        "too many transcripts were waiting; the oldest was released",
    )
    UNKNOWN_OPTION = ("unknown_option", "no option has this name; it was ignored")
    MARKER_CLAMPED = ("marker_clamped", "`at_ms` was moved to the nearest moment still open")
    RECORDING_FAILED = (
        "recording_failed",
        "the recording could not be written; the session goes on",
    )

    @property
    def code(self) -> str:
        """The `code` on the wire."""
        return self.value[0]

    @property
    def meaning(self) -> str:
        """One line for people."""
        return self.value[1]
