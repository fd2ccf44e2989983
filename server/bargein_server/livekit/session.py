"""One LiveKit session: the connection around its windows.

The object is called by its connection and by what answers its windows; it has no task.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import NamedTuple, assert_never

from bargein_server.livekit.answering import Answered, Answering
from bargein_server.livekit.conversation import Conversation, ConversationState
from bargein_server.livekit.diagnostics import Ledger
from bargein_server.livekit.messages import (
    ClientMessage,
    DialectError,
    Error,
    ServerMessage,
    SessionClose,
    SessionClosed,
    SessionCreate,
    SessionCreated,
    SessionSettings,
    Window,
    encode,
)

logger = logging.getLogger(__name__)

Answer = Callable[[Answered], None]
MakeAnswering = Callable[[SessionSettings, Answer], Answering]


class Farewell(NamedTuple):
    """How a connection is closed."""

    code: int
    reason: str


GOODBYE = Farewell(1000, "")
_FAULT = Farewell(1011, "a fault of the server")


def new_session_id() -> str:
    """A name for a session that nobody else has."""
    return f"lk-{secrets.token_hex(8)}"


class LivekitSession:
    """Answers the messages of one connection.

    Args:
        send: sends a text message without waiting; does nothing once the connection is gone.
        ledger: told of everything that the operator may want to know.
        default_threshold: used where the client asks for none.
        answering: makes what answers the windows, once the client's settings are known.
    """

    def __init__(
        self,
        send: Callable[[bytes], None],
        ledger: Ledger,
        *,
        default_threshold: float,
        answering: MakeAnswering,
    ) -> None:
        self.ledger = ledger
        self.farewell: asyncio.Future[Farewell] = asyncio.get_running_loop().create_future()
        """Done when the session is over: how to close the connection, or how it was lost."""
        self._send_bytes = send
        self._default_threshold = default_threshold
        self._make_answering = answering
        self._conversation = Conversation()
        self._answering: Answering | None = None

    def receive(self, data: str | bytes) -> None:
        """Take one message: the one place where errors become messages."""
        if self.farewell.done():
            return
        try:
            message = self._conversation.receive(data)
            if message is not None:
                self._take(message)
        except DialectError as error:
            self._refuse(error.code, error.detail)
        except Exception:
            logger.exception("session %s failed", self.ledger.session_id)
            self._refuse(500, _FAULT.reason)
            self.part(_FAULT)

    def lost(self, close_code: int) -> None:
        """The connection is gone; answers that are still due have nobody to go to."""
        self.part(Farewell(close_code, ""))

    def part(self, farewell: Farewell) -> None:
        """End the session; the first farewell counts."""
        if self.farewell.done():
            return
        self.farewell.set_result(farewell)
        answering, self._answering = self._answering, None  # its audio goes at once
        if answering is not None:
            answering.close()
        self.ledger.close(farewell.code)

    def _take(self, message: ClientMessage | Window) -> None:
        match message:
            case SessionCreate():
                self._answering = self._make_answering(message.settings, self._answered)
                self._send(SessionCreated(default_threshold=self._default_threshold))
            case Window():
                self.ledger.came(message)
                if self._answering is not None:
                    self._answering.take(message)
            case SessionClose():
                self._finish()
            case _:
                assert_never(message)

    def _answered(self, answered: Answered) -> None:
        self._send(answered.answer)
        self.ledger.answered(answered)
        if self._conversation.state is ConversationState.CLOSED:
            self._finish()

    def _finish(self) -> None:
        """Say goodbye once every window has its answer."""
        if self._answering is None or not self._answering.busy:
            self._send(SessionClosed())
            self.part(GOODBYE)

    def _refuse(self, code: int, detail: str) -> None:
        logger.warning("session %s: refused a message: %s", self.ledger.session_id, detail)
        self._send(Error(message=detail, code=code, session_id=self.ledger.session_id))

    def _send(self, message: ServerMessage) -> None:
        self._send_bytes(encode(message))
