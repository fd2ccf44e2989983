"""The bridge between a platform and an agent's socket: everything passes, Bargein listens."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from websockets.asyncio.client import connect as connect_websocket
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from bargein_client.bridges.call import Call
from bargein_client.bridges.peers import PacketPeer, Peer, WebSocketPeer
from bargein_client.bridges.platform import Platform

logger = logging.getLogger(__name__)


class Bridge(Struct, frozen=True, kw_only=True):
    """What is bridged to what."""

    platform: type[Platform]
    """The platform that connects."""
    to: str
    """The agent's socket: ws://…, wss://…, or tcp://host:port for AudioSocket."""
    call: dict[str, Any]
    """Further arguments of `Call` (`url`, `key`, `options`, …)."""


@asynccontextmanager
async def listen(bridge: Bridge, host: str, port: int) -> AsyncGenerator[int]:
    """Take calls at host:port while the block runs; yields the port (0 picks a free one).

    Raises:
        OSError: the address cannot be bound.
    """
    if bridge.platform.transport == "tcp":
        listener = await asyncio.start_server(lambda r, w: _tcp_call(bridge, r, w), host, port)
        async with listener:
            yield listener.sockets[0].getsockname()[1]
        return
    subprotocols = [Subprotocol(name) for name in bridge.platform.subprotocols]
    async with serve_websocket(
        lambda connection: _websocket_call(bridge, connection),
        host,
        port,
        subprotocols=subprotocols or None,
        compression=None,
    ) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def _websocket_call(bridge: Bridge, connection: ServerConnection) -> None:
    path = connection.request.path if connection.request else "/"
    try:
        agent = await connect_websocket(
            _with_query(bridge.to, path),
            subprotocols=[Subprotocol(name) for name in bridge.platform.subprotocols] or None,
            compression=None,
        )
    except (OSError, InvalidHandshake, InvalidURI) as error:
        logger.warning("a call is refused, no agent at %s: %s", bridge.to, error)
        await connection.close(1013, "the agent cannot be reached")
        return
    await carry(bridge, WebSocketPeer(connection), WebSocketPeer(agent))


async def _tcp_call(
    bridge: Bridge, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    platform, target = PacketPeer(reader, writer), urlsplit(bridge.to)
    try:
        agent = PacketPeer(*await asyncio.open_connection(target.hostname, target.port))
    except OSError as error:
        logger.warning("a call is refused, no agent at %s: %s", bridge.to, error)
        await platform.close()
        return
    await carry(bridge, platform, agent)


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


def _with_query(url: str, path: str) -> str:
    """The agent's URL with the query that the platform came with, if it has none of its own."""
    query = urlsplit(path).query
    return f"{url}?{query}" if query and not urlsplit(url).query else url
