"""A network in between: it can be cut, stalled, and lead elsewhere.

async with relay_to(server.url) as network:
    async with connect(network.url) as session: ...
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

BUFFER_BYTES = 16 * 1024


class Relay:
    """Passes bytes between clients and one server."""

    def __init__(self, url: str) -> None:
        self.lead_to(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.accepted = 0
        """Connections so far."""
        self.refusing = False
        """Whether new connections are broken at once."""
        self.answer = b""
        """What new connections are told instead of being passed on."""
        self._cut_at = (0, b"")

    @property
    def url(self) -> str:
        """Where clients connect: ws://127.0.0.1:PORT."""
        return f"ws://127.0.0.1:{self.port}"

    def lead_to(self, url: str) -> None:
        """Connect to this server (ws://HOST:PORT) from now on."""
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)

    def cut(self) -> None:
        """Break every connection without a word."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def cut_after(self, connections: int, said: bytes) -> None:
        """Break the connection after so many more as soon as the server says this, and pass on."""
        self._cut_at = (self.accepted + connections, said)

    def stall(self) -> None:
        """Take nothing from anybody until `flow`."""
        self._flowing.clear()

    def flow(self) -> None:
        """Go on."""
        self._flowing.set()

    async def until_accepted(self, count: int) -> None:
        """Wait until so many connections were made."""
        async with self._news:
            await self._news.wait_for(lambda: self.accepted >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        if self.refusing:
            writer.transport.abort()
            return
        if self.answer:
            writer.write(self.answer)
            writer.close()
            await self._count()
            return
        there, back = await asyncio.open_connection(*self._target)
        self._writers |= {writer, back}
        await self._count()
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._pass_on(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _count(self) -> None:
        async with self._news:
            self.accepted += 1
            self._news.notify_all()

    async def close(self) -> None:
        """Leave nothing behind."""
        self.cut()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await self._read(source):
                sink.write(data)
                await sink.drain()
                if self._cut_at[1] and self.accepted == self._cut_at[0] and self._cut_at[1] in data:
                    self.cut()
        sink.close()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        await self._flowing.wait()
        return await reader.read(BUFFER_BYTES)


@contextlib.asynccontextmanager
async def relay_to(url: str) -> AsyncGenerator[Relay]:
    """A relay in front of the server at `url`, with little room for what is stalled."""
    between = Relay(url)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    listening.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(between.serve, sock=listening, limit=BUFFER_BYTES)
    between.port = int(listening.getsockname()[1])
    try:
        yield between
    finally:
        server.close()
        await between.close()
