"""Both ends of a bridge, alike: WebSocket messages, or AudioSocket packets over TCP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed

from bargein_client.bridges.audiosocket import HEADER
from bargein_client.bridges.platform import Message


class Peer(Protocol):
    """One end of a bridge."""

    def messages(self) -> AsyncIterator[Message]:
        """What it sends, until it hangs up."""
        ...

    async def send(self, message: Message) -> None:
        """Send it a message; nothing happens if it has hung up."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


class WebSocketPeer:
    """A WebSocket connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def messages(self) -> AsyncIterator[Message]:
        """Text and binary messages."""
        with contextlib.suppress(ConnectionClosed):
            async for message in self._connection:
                yield message

    async def send(self, message: Message) -> None:
        """Send a text (`str`) or a binary message (`bytes`)."""
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(message)

    async def close(self) -> None:
        """Close with code 1000."""
        await self._connection.close()


class PacketPeer:
    """A TCP connection that carries AudioSocket packets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def messages(self) -> AsyncIterator[Message]:
        """Whole packets, header included."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                header = await self._reader.readexactly(HEADER.size)
                _, length = HEADER.unpack(header)
                yield header + await self._reader.readexactly(length)

    async def send(self, message: Message) -> None:
        """Send one packet."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(message if isinstance(message, bytes) else message.encode())
            await self._writer.drain()

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
