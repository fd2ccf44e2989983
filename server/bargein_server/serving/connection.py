"""A WebSocket that hands each message over by a call, without a queue and a task in between."""

from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any, Protocol

from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import DATA_OPCODES, CloseCode, Frame, Opcode
from websockets.protocol import Event, State
from websockets.server import ServerProtocol

from bargein_server.serving.auth import Grant
from bargein_server.serving.framing import frame_length, sole_audio

MAX_FRAME_BYTES = (1 << 20) + 14
"""The largest message, and the largest header."""


class Listener(Protocol):
    """Who a connection's messages are for."""

    def receive(self, data: str | bytes) -> None:
        """One message came; must not raise."""
        ...

    def lost(self, close_code: int) -> None:
        """The connection is gone; 1006 if it broke without a close."""
        ...


class Alignment(Enum):
    """Where the general parser stands when data arrives."""

    HANDSHAKE = auto()
    ALIGNED = auto()
    """At the beginning of a frame: it is given whole frames only."""
    UNKNOWN = auto()
    """Somewhere: it is given everything."""


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

    # In slots, because a thirty-first name would cost every connection a larger dictionary.
    __slots__ = (
        "_alignment",
        "_backlog",
        "_fragments",
        "_held",
        "_listener",
        "_rest",
        "grant",
        "path",
        "query",
        "serve",
    )

    def __init__(self, protocol: ServerProtocol, server: Server, **options: Any) -> None:  # noqa: ANN401
        super().__init__(protocol, server, **options)
        self._listener: Listener | None = None
        self._alignment = Alignment.HANDSHAKE
        self._rest = b""
        self._held = False
        self._fragments: list[Frame] = []
        self._backlog: list[str | bytes] = []  # an empty deque is 14 times as large

    def stream_to(self, listener: Listener) -> None:
        """From now on deliver messages to `listener`, those that wait first."""
        self._listener = listener
        waiting = self.recv_messages.frames.queue
        while waiting:
            self._take(waiting.popleft())
        self.recv_messages.maybe_resume()
        if self.connection_lost_waiter.done():
            self._say_lost(listener)

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
            if self._listener is not None:
                self._listener.receive(self._backlog.pop(0))
        if not self._held:
            self.transport.resume_reading()

    # ---------------------------------------------------------------- what websockets calls

    def data_received(self, data: bytes) -> None:
        """Take audio straight from its frame; leave all else to websockets, in whole frames."""
        if self._alignment is not Alignment.ALIGNED:
            super().data_received(data)
            if self._alignment is Alignment.HANDSHAKE and self.request is not None:
                sole = data.endswith(b"\r\n\r\n")  # a frame before the answer would be too early
                self._alignment = Alignment.ALIGNED if sole else Alignment.UNKNOWN
            return
        if not self._rest and self._take_audio(data):  # nearly always
            return
        data, self._rest = self._rest + data, b""
        end = length = 0
        while end < len(data):
            length = frame_length(data, end)
            if not length or end + length > len(data):
                break
            frame = data[end : end + length]
            if not self._take_audio(frame):
                super().data_received(frame)
            end += length
        self._rest = data[end:]
        if length > MAX_FRAME_BYTES:  # it will be refused; but not by us
            self._alignment = Alignment.UNKNOWN
            super().data_received(self._rest)

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
            self._say_lost(self._listener)

    # ----------------------------------------------------------------

    def _say_lost(self, listener: Listener) -> None:
        self._backlog.clear()
        listener.lost(self.close_code or CloseCode.ABNORMAL_CLOSURE)

    def _take_audio(self, data: bytes) -> bool:
        if self._listener is None or self._fragments or self.protocol.state is not State.OPEN:
            return False
        audio = sole_audio(data)
        if audio is None:
            return False
        self._put(audio)
        return True

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
        if message is not None:
            self._put(message)

    def _put(self, message: str | bytes) -> None:
        if self._held or self._backlog:
            self._backlog.append(message)
        elif self._listener is not None:
            self._listener.receive(message)

    def _message(self, opcode: Opcode, data: bytes) -> str | bytes | None:
        if opcode is Opcode.BINARY:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            self.protocol.fail(CloseCode.INVALID_DATA, "a text message is not UTF-8")
            self.send_data()
            return None


class _Nobody:
    def receive(self, data: str | bytes) -> None: ...

    def lost(self, close_code: int) -> None: ...


_NOBODY = _Nobody()
