"""The connections of LiveKit sessions: WebSockets of the main port and of the HTTP port.

LiveKit's clients have one base URL for WebSockets and for HTTP requests, and which of the two they
use depends on their version. The HTTP port alone can answer requests, so it takes WebSockets, too:
its URL is right for every version.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from aiohttp import WSMsgType, web

from bargein_server.livekit.messages import ID_BYTES, MAX_WINDOW_SAMPLES, SAMPLE_BYTES
from bargein_server.livekit.session import Farewell, LivekitSession
from bargein_server.serving.connection import Connection

Open = Callable[[Callable[[bytes], None]], LivekitSession]
"""Makes a session out of the function that sends its messages."""

MAX_UNREAD_BYTES = 256 * 1024
"""Answers that a client may leave unread before it is closed."""
MAX_MESSAGE_BYTES = 2 * (ID_BYTES + MAX_WINDOW_SAMPLES * SAMPLE_BYTES)
MAX_WAITING = 1000
"""The same on the HTTP port, in answers: there the socket's buffer is not the server's to see."""
CLOSE_TIMEOUT_S = 5.0
_SLOW = Farewell(1008, "answers are not read")
_ABNORMAL_CLOSURE = 1006


async def over_websockets(connection: Connection, open_: Open) -> None:
    """Serve a session on a connection of the main port until it is closed."""

    def send(data: bytes) -> None:
        if connection.send_now(data) > MAX_UNREAD_BYTES:
            session.part(_SLOW)

    session = open_(send)
    connection.stream_to(session)
    farewell = await session.farewell
    connection.stop_streaming()
    await connection.close(farewell.code, farewell.reason)


async def over_aiohttp(
    request: web.Request, open_: Open, ping_interval_s: float
) -> web.WebSocketResponse:
    """Serve a session on a connection of the HTTP port until it is closed."""
    socket = web.WebSocketResponse(
        heartbeat=ping_interval_s,
        timeout=CLOSE_TIMEOUT_S,
        compress=False,
        max_msg_size=MAX_MESSAGE_BYTES,
    )
    await socket.prepare(request)
    outbox: asyncio.Queue[bytes | Farewell] = asyncio.Queue()

    def send(data: bytes) -> None:
        outbox.put_nowait(data)
        if outbox.qsize() > MAX_WAITING:
            session.part(_SLOW)

    session = open_(send)
    session.farewell.add_done_callback(lambda said: outbox.put_nowait(said.result()))
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_write(socket, outbox, session))
            tasks.create_task(_read(socket, session))
    finally:
        session.lost(_ABNORMAL_CLOSURE)  # does nothing if it ended before
    return socket


async def _read(socket: web.WebSocketResponse, session: LivekitSession) -> None:
    async for message in socket:
        if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
            session.receive(message.data)
    session.lost(socket.close_code or _ABNORMAL_CLOSURE)


async def _write(
    socket: web.WebSocketResponse,
    outbox: asyncio.Queue[bytes | Farewell],
    session: LivekitSession,
) -> None:
    """Send what is said, in order, and close after the farewell."""
    with suppress(ConnectionError):  # the reader notices, too
        try:
            while not isinstance(said := await outbox.get(), Farewell):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await socket.send_str(said.decode())
        except TimeoutError:
            session.part(said := _SLOW)
        with suppress(TimeoutError):  # nor is the farewell read
            async with asyncio.timeout(2 * CLOSE_TIMEOUT_S):
                await socket.close(code=said.code, message=said.reason.encode())
