"""A TCP relay whose connections a test can break: a network that fails on demand."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit


class Relay:
    """Passes bytes on between clients and one server."""

    def __init__(self, url: str) -> None:
        self.lead_to(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        """How many there have been."""
        self.refusing = False
        """Whether new connections are broken at once."""
        self.url = ""
        """Where clients connect: ws://127.0.0.1:PORT."""

    def lead_to(self, url: str) -> None:
        """Connect to another server from now on."""
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)

    def cut(self) -> None:
        """Break all connections without a close."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection."""
        if self.refusing:
            writer.transport.abort()
            return
        self.connections += 1
        up_reader, up_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, up_writer}
        for source, sink in ((reader, up_writer), (up_reader, writer)):
            task = asyncio.create_task(_pass_on(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Break everything and leave no task behind."""
        self.cut()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.close()


@contextlib.asynccontextmanager
async def relay_to(url: str) -> AsyncGenerator[Relay]:
    """A relay in front of the server at `url` (ws://HOST:PORT)."""
    relay = Relay(url)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield relay
        server.close()
        await relay.stop()
