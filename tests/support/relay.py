"""A network in between that can be cut and stalled."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator

BUFFER_BYTES = 16 * 1024


class Relay:
    """Passes bytes between clients and one server."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.accepted = 0
        """Connections so far."""

    def cut(self) -> None:
        """Break every connection without a word."""
        for writer in self._writers:
            writer.transport.abort()

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
        there, back = await asyncio.open_connection(*self._target)
        self._writers |= {writer, back}
        async with self._news:
            self.accepted += 1
            self._news.notify_all()
        self._tasks |= {
            asyncio.create_task(self._pass_on(reader, back)),
            asyncio.create_task(self._pass_on(there, writer)),
        }

    async def close(self) -> None:
        """Leave nothing behind."""
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await self._read(reader):
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        await self._flowing.wait()
        return await reader.read(BUFFER_BYTES)


@contextlib.asynccontextmanager
async def relay(host: str, port: int) -> AsyncGenerator[Relay]:
    """A relay to `host:port` on a free port of 127.0.0.1, with little room for what is stalled."""
    between = Relay((host, port))
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
