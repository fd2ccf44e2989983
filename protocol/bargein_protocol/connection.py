"""One connection of the native protocol, without I/O: what arrived, and whether it is legal now.

    state      legal from the client                      moves on
    ─────────  ─────────────────────────────────────────  ─────────────────────────────
    FRESH      session.create                              → OPEN when it was accepted
    OPEN       audio, and every message but session.create  → CLOSED by session.close
    CLOSED     nothing

An illegal or unreadable message raises `ProtocolError`. If the error is not `fatal` the state is
what it was before, and nothing of the message has taken effect.
"""

from enum import Enum, auto

from bargein_protocol.audio import AudioFormat, AudioFrame, parse_frame
from bargein_protocol.codec import decode_client
from bargein_protocol.errors import ErrorCode, ProtocolError
from bargein_protocol.messages import ClientMessage, SessionClose, SessionCreate


class ConnectionState(Enum):
    """Where a connection stands."""

    FRESH = auto()
    OPEN = auto()
    CLOSED = auto()


class ServerConnection:
    """The server's end: turns WebSocket messages into typed ones that are legal at this point."""

    def __init__(self) -> None:
        self._state = ConnectionState.FRESH
        self._audio = AudioFormat()

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        return self._state

    def accept(self, audio: AudioFormat) -> None:
        """The session was created, resumed or joined; audio of this format is legal from now on."""
        self._audio = audio
        self._state = ConnectionState.OPEN

    def receive(self, data: str | bytes) -> ClientMessage | AudioFrame:
        """Read one WebSocket message: `str` is JSON, `bytes` is audio.

        Raises:
            ProtocolError: unreadable, out of range, or not legal in this state.
        """
        if isinstance(data, bytes):
            self._require_open("audio")
            return parse_frame(data, self._audio)
        message = decode_client(data)
        if isinstance(message, SessionCreate):
            self._require_fresh()
            return message
        self._require_open(str(message.__struct_config__.tag))
        if isinstance(message, SessionClose):
            self._state = ConnectionState.CLOSED
        return message

    def _require_open(self, what: str) -> None:
        if self._state is ConnectionState.FRESH:
            raise ProtocolError(ErrorCode.NOT_OPEN, f"{what} came before `session.create`")
        if self._state is ConnectionState.CLOSED:
            raise ProtocolError(ErrorCode.UNEXPECTED_MESSAGE, f"{what} came after `session.close`")

    def _require_fresh(self) -> None:
        if self._state is not ConnectionState.FRESH:
            raise ProtocolError(
                ErrorCode.UNEXPECTED_MESSAGE,
                "the session is open already; change it with `session.update`",
            )
