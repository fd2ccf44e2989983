"""The native protocol's connections (`/v1/session`), from the handshake to the farewell."""

import asyncio
import logging

from bargein_protocol.codec import encode
from bargein_protocol.connection import ServerConnection
from bargein_protocol.errors import ErrorCode, ProtocolError
from bargein_protocol.messages import Error, SessionCreate
from websockets.exceptions import ConnectionClosed

from bargein_server.serving.connection import Connection
from bargein_server.sessions.member import Member
from bargein_server.sessions.registry import Sessions

logger = logging.getLogger(__name__)


async def converse(connection: Connection, sessions: Sessions, create_timeout_s: float) -> None:
    """Serve one connection until it is closed."""
    try:
        async with asyncio.timeout(create_timeout_s):
            member = await _enter(connection, sessions)
        farewell = await member.farewell
        await connection.close(*farewell)
    except TimeoutError:
        await _turn_away(connection, ErrorCode.CREATE_TIMEOUT, ErrorCode.CREATE_TIMEOUT.meaning)
    except ProtocolError as error:
        await _turn_away(connection, error.code, error.detail)
    except ConnectionClosed:
        pass
    except Exception:
        logger.exception("a connection failed")
        await connection.close(ErrorCode.INTERNAL_ERROR.close_code or 1011)


async def _enter(connection: Connection, sessions: Sessions) -> Member:
    """The first message that can be accepted; those that cannot are answered with an error."""
    protocol = ServerConnection()
    while True:
        data = await connection.recv()
        try:
            return _try_to_enter(connection, sessions, protocol, data)
        except ProtocolError as error:
            if error.fatal:
                raise
            await connection.send(_refusal(error.code, error.detail), text=True)


def _try_to_enter(
    connection: Connection, sessions: Sessions, protocol: ServerConnection, data: str | bytes
) -> Member:
    request = protocol.receive(data)
    if not isinstance(request, SessionCreate):
        raise ProtocolError(ErrorCode.NOT_OPEN, ErrorCode.NOT_OPEN.meaning)
    member = Member(connection, protocol, request.audio)
    sessions.enter(request, member, connection.grant)
    return member


async def _turn_away(connection: Connection, code: ErrorCode, detail: str) -> None:
    try:
        await connection.send(_refusal(code, detail), text=True)
        await connection.close(code.close_code or 1011, code.code)
    except ConnectionClosed:
        pass


def _refusal(code: ErrorCode, detail: str) -> bytes:
    return encode(Error(code=code.code, message=detail, fatal=code.close_code is not None))
