"""A WebSocket that hands each message over by a call, without a queue and a task in between."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from websockets.asyncio.server import ServerConnection
from websockets.frames import DATA_OPCODES, CloseCode, Frame, Opcode
from websockets.protocol import Event, State

from bargein_server.auth import Grant


class Listener(Protocol):
    """Who a connection's messages are for."""

    def receive(self, data: str | bytes) -> None:
        """One message came; must not raise."""
        ...

    def lost(self, close_code: int) -> None:
        """The connection is gone; 1006 if it broke without a close."""
        ...


class Connection(ServerConnection):
    """One WebSocket of the server.

    It begins like any connection of `websockets`, with `recv` and `send`. `stream_to` switches it
    over: from then on each message is a call of the listener in the moment it arrives.
    """

    grant: Grant
    """What its token allows; set at the handshake."""
    path: str
    """Without the query."""
    query: dict[str, str]
    serve: Callable[["Connection"], Awaitable[None]]
    """What its route does with it; set at the handshake."""

    _listener: Listener | None = None
    _held = False

    def stream_to(self, listener: Listener) -> None:
        """From now on deliver messages to `listener`, those that wait first."""
        self._listener = listener
        self._fragments: list[Frame] = []
        self._backlog: deque[str | bytes] = deque()
        waiting, self.recv_messages.frames.queue = self.recv_messages.frames.queue, deque()
        for frame in waiting:
            self._take(frame)
        self.recv_messages.maybe_resume()

    def stop_streaming(self) -> None:
        """Throw away what still comes, so that the closing handshake is reached."""
        self._listener = _NOBODY
        self._backlog.clear()
        self.go_on()

    def send_now(self, data: bytes) -> int:
        """Send a text message without waiting; returns the bytes that the peer has not taken."""
        if self.protocol.state is not State.OPEN:
            return 0
        self.protocol.send_text(data)
        self.send_data()
        return self.transport.get_write_buffer_size()

    def hold(self) -> None:
        """Deliver nothing until `go_on`; soon the peer cannot send any more."""
        if not self._held:
            self._held = True
            self.transport.pause_reading()

    def go_on(self) -> None:
        """Deliver what waited, and read on unless a message led to `hold` again."""
        self._held = False
        while self._backlog and not self._held:
            self._deliver(self._backlog.popleft())
        if not self._held:
            self.transport.resume_reading()

    # ---------------------------------------------------------------- what websockets calls

    def process_event(self, event: Event) -> None:
        """Deliver data frames; leave all others to websockets."""
        listening = self._listener is not None
        if listening and isinstance(event, Frame) and event.opcode in DATA_OPCODES:
            self._take(event)
        else:
            super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the listener."""
        super().connection_lost(exc)
        if self._listener is not None:
            self._backlog.clear()
            self._listener.lost(self.close_code or CloseCode.ABNORMAL_CLOSURE)

    # ----------------------------------------------------------------

    def _take(self, frame: Frame) -> None:
        if frame.fin and not self._fragments:
            message = self._message(frame.opcode, bytes(frame.data))
        else:
            self._fragments.append(frame)
            if not frame.fin:
                return
            whole = b"".join(fragment.data for fragment in self._fragments)
            message = self._message(self._fragments[0].opcode, whole)
            self._fragments.clear()
        if message is None:
            return
        if self._held or self._backlog:
            self._backlog.append(message)
        else:
            self._deliver(message)

    def _message(self, opcode: Opcode, data: bytes) -> str | bytes | None:
        if opcode is Opcode.BINARY:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            self.protocol.fail(CloseCode.INVALID_DATA, "a text message is not UTF-8")
            self.send_data()
            return None

    def _deliver(self, message: str | bytes) -> None:
        if self._listener is not None:
            self._listener.receive(message)


class _Nobody:
    def receive(self, data: str | bytes) -> None: ...

    def lost(self, close_code: int) -> None: ...


_NOBODY = _Nobody()
