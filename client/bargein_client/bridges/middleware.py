"""The bridge between a platform and an agent's socket: everything passes, Bargein listens."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct
from websockets.asyncio.client import connect as connect_websocket
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from bargein_client.bridges.call import Call
from bargein_client.bridges.peers import PacketPeer, Peer, WebSocketPeer
from bargein_client.bridges.platform import Platform

logger = logging.getLogger(__name__)

_OF_ONE_HOP = {
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


class Bridge(Struct, frozen=True, kw_only=True):
    """What is bridged to what."""

    platform: type[Platform]
    """The platform that connects."""
    to: str
    """The agent's socket: ws://…, wss://…, or tcp://host:port for AudioSocket."""
    call: dict[str, Any]
    """Further arguments of `Call` (`url`, `key`, `options`, …)."""


class Reception:
    """Where a platform's calls come in."""

    def __init__(self, bridge: Bridge) -> None:
        self.port = 0
        self._bridge = bridge
        self._calls: set[asyncio.Task[Any]] = set()
        self._all_ended = asyncio.Event()
        self._all_ended.set()
        self._listener: asyncio.Server | None = None

    @property
    def calls(self) -> int:
        """How many are under way."""
        return len(self._calls)

    def refuse(self) -> None:
        """Take no more calls: the port is free for others."""
        if self._listener is not None:
            self._listener.close()

    async def all_ended(self) -> None:
        """Return when no call is under way."""
        await self._all_ended.wait()

    def at(self, listener: asyncio.Server) -> "Reception":
        """Open, at this listener."""
        self._listener = listener
        self.port = listener.sockets[0].getsockname()[1]
        return self

    async def hang_up(self) -> None:
        """End the calls that are under way."""
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def take_websocket(self, connection: ServerConnection) -> None:
        """A platform's call over a WebSocket."""
        with self._under_way():
            bridge, request = self._bridge, connection.request
            try:
                agent = await connect_websocket(
                    bridge.to if request is None else _addressed(bridge.to, request.path),
                    additional_headers=[] if request is None else _end_to_end(request.headers),
                    user_agent_header=None,
                    subprotocols=_offered(bridge),
                    compression=None,
                    max_size=None,
                )
            except (OSError, InvalidHandshake, InvalidURI) as error:
                logger.warning("a call is refused, no agent at %s: %s", bridge.to, error)
                await connection.close(1013, "the agent cannot be reached")
                return
            await carry(bridge, WebSocketPeer(connection), WebSocketPeer(agent))

    async def take_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A platform's call over TCP."""
        with self._under_way():
            platform, target = PacketPeer(reader, writer), urlsplit(self._bridge.to)
            try:
                agent = PacketPeer(*await asyncio.open_connection(target.hostname, target.port))
            except OSError as error:
                logger.warning("a call is refused, no agent at %s: %s", self._bridge.to, error)
                await platform.close()
                return
            await carry(self._bridge, platform, agent)

    @contextmanager
    def _under_way(self) -> Generator[None]:
        call = asyncio.current_task()
        assert call is not None  # noqa: S101 - both kinds of listener run a task for each call
        self._calls.add(call)
        self._all_ended.clear()
        try:
            yield
        finally:
            self._calls.discard(call)
            if not self._calls:
                self._all_ended.set()


@asynccontextmanager
async def listen(bridge: Bridge, host: str, port: int) -> AsyncGenerator[Reception]:
    """Take calls at host:port (0 picks a free one) while the block runs, and end them with it.

    Raises:
        OSError: the address cannot be bound.
    """
    reception = Reception(bridge)
    if bridge.platform.transport == "tcp":
        async with await asyncio.start_server(reception.take_tcp, host, port) as listener:
            try:
                yield reception.at(listener)
            finally:
                await reception.hang_up()
        return
    async with serve_websocket(
        reception.take_websocket, host, port, subprotocols=_offered(bridge), compression=None
    ) as server:
        yield reception.at(server.server)


async def carry(bridge: Bridge, platform: Peer, agent: Peer) -> None:
    """Carry one call until either side hangs up; then hang up on the other."""

    async def inbound(call: Call) -> None:
        async for message in platform.messages():
            await call.from_platform(message)

    async def outbound(call: Call) -> None:
        async for message in agent.messages():
            await call.from_agent(message)

    call = Call(bridge.platform(), to_platform=platform.send, to_agent=agent.send, **bridge.call)
    async with call:
        directions = [asyncio.create_task(way(call)) for way in (inbound, outbound)]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            results = await asyncio.gather(*directions, return_exceptions=True)
            await asyncio.gather(platform.close(), agent.close())
    for result in results:
        if isinstance(result, Exception):
            logger.error("a call broke off", exc_info=result)


def _offered(bridge: Bridge) -> list[Subprotocol] | None:
    return [Subprotocol(name) for name in bridge.platform.subprotocols] or None


def _addressed(url: str, path: str) -> str:
    """The agent's URL; a path or a query that it lacks is the one that the platform asked for."""
    own, asked = urlsplit(url), urlsplit(path)
    chosen = own.path if own.path.strip("/") else asked.path
    return urlunsplit(own._replace(path=chosen, query=own.query or asked.query))


def _end_to_end(headers: Headers) -> list[tuple[str, str]]:
    """What the platform says to the agent (signatures, keys), without what is said to the bridge.

    Hop-by-hop fields: RFC 9110, section 7.6.1.
    """
    named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    return [
        (name, value)
        for name, value in headers.raw_items()
        if name.lower() not in _OF_ONE_HOP | named and not name.lower().startswith("sec-websocket-")
    ]
