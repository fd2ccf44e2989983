"""One connection of the dialect, without I/O: what arrived, and whether it is legal now.

    state    legal from the client   moves on
    ───────  ──────────────────────  ────────────────────────
    FRESH    session.create          → OPEN
    OPEN     windows                 → CLOSED by session.close
    CLOSED   nothing

Windows may follow `session.create` at once, without waiting for the answer. An illegal or
unreadable message raises `DialectError` and changes nothing. What comes after `session.close` is
no error (the JavaScript client closes in the same breath); it is `None`.
"""

from enum import Enum, auto

from bargein_server.livekit.messages import (
    ClientMessage,
    DialectError,
    SessionClose,
    SessionCreate,
    Window,
    decode_text,
    decode_window,
)


class ConversationState(Enum):
    """Where a connection stands."""

    FRESH = auto()
    OPEN = auto()
    CLOSED = auto()


class Conversation:
    """The server's end: turns WebSocket messages into typed ones that are legal at this point."""

    def __init__(self) -> None:
        self._state = ConversationState.FRESH

    @property
    def state(self) -> ConversationState:
        """Where the connection stands."""
        return self._state

    def receive(self, data: str | bytes) -> ClientMessage | Window | None:
        """Read one WebSocket message: `str` is JSON, `bytes` a window; None: too late to matter.

        Raises:
            DialectError: unreadable, out of range, or not legal in this state.
        """
        if self._state is ConversationState.CLOSED:
            return None
        if isinstance(data, bytes):
            self._require_open("a window")
            return decode_window(data)
        message = decode_text(data)
        match message:
            case SessionCreate():
                if self._state is not ConversationState.FRESH:
                    raise DialectError(409, "the session is open already")
                self._state = ConversationState.OPEN
            case SessionClose():
                self._state = ConversationState.CLOSED
        return message

    def _require_open(self, what: str) -> None:
        if self._state is ConversationState.FRESH:
            raise DialectError(400, f"{what} came before session.create")
