"""Clients that cost next to nothing: what they send was put on the wire's form beforehand.

So that the clients of one core can keep a server busy on another, a client is a plain asyncio
protocol around the sans-I/O core of `websockets`, and one beat per millisecond drives them all.
"""

import asyncio
import math
import struct
from array import array
from collections import defaultdict
from time import perf_counter  # the clock of uvloop counts whole milliseconds
from typing import cast

import orjson
from bargein_protocol.messages import SUBPROTOCOL, AgentStarted, AgentStopped, SessionCreate
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from benchmarks.speech import FRAME_MS, Script, text_frame

CONNECT_TIMEOUT_S = 30.0
BEAT_S = 0.001
PING_EVERY = 50
"""Frames between two pings: one second."""
AGENT_STARTED, AGENT_STOPPED = text_frame(AgentStarted()), text_frame(AgentStopped())
TIMED = {"overlap.started", "interruption", "non_interruption"}
"""Messages whose `at_ms` is the end of the last sample that they needed."""


class Tally:
    """What all clients of a measurement notice."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was before."""
        self.round_trips_ms: list[float] = []
        self.delays_ms: defaultdict[str, list[float]] = defaultdict(list)
        self.lateness_ms: list[float] = []
        self.counts: defaultdict[str, int] = defaultdict(int)


class Client(asyncio.Protocol):
    """One session in real time.

    Args:
        script: what it sends.
        offset: the frame of the script to begin with.
        tally: where it puts what it notices.
        talks: whether the server answers `session.create`; a bare one does not.
    """

    def __init__(
        self, port: int, script: Script, offset: int, tally: Tally, *, talks: bool
    ) -> None:
        uri = parse_uri(f"ws://127.0.0.1:{port}/v1/session")
        self._wire = ClientProtocol(uri, subprotocols=[Subprotocol(SUBPROTOCOL)])
        self._script = script
        self._next = offset
        self._tally = tally
        self._talks = talks
        self._sent_at = array("d")
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self.ready: asyncio.Future[None] = self._loop.create_future()
        """Done once the session is open."""
        self._left = False
        self._overlaps_of_turn: int | None = None  # None: the turn was not heard from its start
        self.open_overlaps: set[int] = set()
        """Opened and without a verdict yet."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not derived from it
        self._wire.send_request(self._wire.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take in answers."""
        now = perf_counter()
        self._wire.receive_data(data)
        for event in self._wire.events_received():
            if isinstance(event, Response):
                self._opened()
            elif isinstance(event, Frame):
                self._answered(event, now)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it, unless this side did it."""
        if not self._left:
            self._tally.counts["connections lost"] += 1
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError("closed during the handshake"))

    def beat(self) -> None:
        """Send the next 20 ms."""
        if self._transport.is_closing():
            return
        index = self._next
        if index in self._script.starts:
            self._transport.write(AGENT_STARTED)
            self._overlaps_of_turn = 0
        elif index in self._script.stops:
            self._transport.write(AGENT_STOPPED)
            self._end_turn()
        self._transport.write(self._script.frames[index])
        now = perf_counter()
        self._sent_at.append(now)
        self._next = (index + 1) % len(self._script.frames)
        if len(self._sent_at) % PING_EVERY == 0:
            self._wire.send_ping(struct.pack("d", now))
            self._flush()

    def leave(self) -> None:
        """Drop the connection."""
        self._left = True
        self._transport.abort()

    def _end_turn(self) -> None:
        if self._overlaps_of_turn is not None:
            self._tally.counts["agent turns"] += 1
            self._tally.counts["agent turns without an overlap"] += not self._overlaps_of_turn
            self._overlaps_of_turn = None

    def _opened(self) -> None:
        if self._wire.handshake_exc is not None:
            self.ready.set_exception(self._wire.handshake_exc)
        elif self._talks:
            self._transport.write(text_frame(SessionCreate()))
        else:
            self.ready.set_result(None)

    def _answered(self, frame: Frame, now: float) -> None:
        if frame.opcode is Opcode.PONG:
            (sent,) = struct.unpack("d", frame.data)
            self._tally.round_trips_ms.append((now - sent) * 1000)
        elif frame.opcode is Opcode.TEXT:
            message = orjson.loads(frame.data)
            self._heard(message["type"], message, now)

    def _heard(self, kind: str, message: dict[str, float], now: float) -> None:
        self._tally.counts[kind] += 1
        if kind == "session.created" and not self.ready.done():
            self.ready.set_result(None)
        elif kind == "overlap.started":
            self.open_overlaps.add(int(message["overlap_id"]))
            if self._overlaps_of_turn is not None:
                self._overlaps_of_turn += 1
        elif kind in TIMED:
            self.open_overlaps.discard(int(message["overlap_id"]))
        if kind in TIMED:
            last = math.ceil(message["at_ms"] / FRAME_MS) - 1
            sent = self._sent_at[max(0, min(last, len(self._sent_at) - 1))]
            self._tally.delays_ms[kind].append((now - sent) * 1000)

    def _flush(self) -> None:
        for data in self._wire.data_to_send():
            if data:
                self._transport.write(data)


class Crowd:
    """Clients that stream at the same time, spread evenly over the 20 ms of a frame."""

    def __init__(self, port: int, script: Script, *, talks: bool) -> None:
        self.tally = Tally()
        self.clients: list[Client] = []
        self._port = port
        self._script = script
        self._talks = talks
        self._loop = asyncio.get_running_loop()
        self._slots: list[list[Client]] = [[] for _ in range(FRAME_MS)]
        self._due = perf_counter()
        self._slot = 0
        self._timer: asyncio.TimerHandle | None = None

    async def grow(self, count: int, *, streaming: bool = True) -> None:
        """Connect until there are `count` clients; `streaming`: and let the new ones send."""
        while len(self.clients) < count:
            client = await self._connect()
            self.clients.append(client)
            if streaming:
                self._slots[len(self.clients) % FRAME_MS].append(client)
            if self._timer is None:
                self._due = perf_counter()
                self._beat()

    def leave(self) -> None:
        """Stop everything."""
        if self._timer is not None:
            self._timer.cancel()
        for client in self.clients:
            client.leave()

    async def _connect(self) -> Client:
        offset = len(self.clients) * 97 % len(self._script.frames)
        _, client = await self._loop.create_connection(
            lambda: Client(self._port, self._script, offset, self.tally, talks=self._talks),
            "127.0.0.1",
            self._port,
        )
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await client.ready
        return client

    def _beat(self) -> None:
        now = perf_counter()
        self.tally.lateness_ms.append((now - self._due) * 1000)
        while self._due <= now:
            for client in self._slots[self._slot]:
                client.beat()
            self._slot = (self._slot + 1) % FRAME_MS
            self._due += BEAT_S
        self._timer = self._loop.call_later(max(BEAT_S, self._due - perf_counter()), self._beat)
