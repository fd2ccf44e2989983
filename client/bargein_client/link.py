"""One WebSocket to the server: opened, authorised, and its end told as an error code."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

from bargein_protocol.errors import ErrorCode, error_for_close
from bargein_protocol.messages import SUBPROTOCOL
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from bargein_client.credentials import Credentials
from bargein_client.errors import ClientError, error_for

CLOSE_TIMEOUT_S = 2.0
STALLED_S = 10.0
"""A socket that takes nothing for so long counts as lost: a network that goes silent breaks no
connection, and what waits to be sent is in the way of the pings that would notice it."""
_BY_STATUS: dict[int, ErrorCode] = {
    HTTPStatus.UNAUTHORIZED: ErrorCode.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: ErrorCode.FORBIDDEN,
    HTTPStatus.BAD_REQUEST: ErrorCode.INVALID_MESSAGE,
    HTTPStatus.NOT_FOUND: ErrorCode.INVALID_MESSAGE,
    HTTPStatus.INTERNAL_SERVER_ERROR: ErrorCode.INTERNAL_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE: ErrorCode.SERVER_FULL,
}
"""Any other status is the word of something in between (a proxy's 502) and says nothing about the
server or its sessions."""
_STILL_TRUE = {ErrorCode.UNAUTHORIZED, ErrorCode.FORBIDDEN}
"""What a status can mean where there was a connection before. A 404 or a 503 is then a proxy's
word, too, or that of a server that drains: the session lives on, or the next server denies it."""


class LinkLostError(Exception):
    """The connection is over; `code` is None after an ordinary end."""

    def __init__(self, code: ErrorCode | None) -> None:
        super().__init__(code.code if code else "closed")
        self.code = code


class Link:
    """An open connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    @classmethod
    async def open(cls, url: str, credentials: Credentials, *, again: bool = False) -> "Link":
        """Connect; `again`: this server took a connection before.

        Raises:
            BargeinError: not reachable, or refused.
        """
        try:
            socket = await open_websocket(
                url,
                subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
                additional_headers=credentials.headers(),
                compression=None,
                close_timeout=CLOSE_TIMEOUT_S,
                max_size=None,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            body = bytes(error.response.body or b"").decode(errors="replace").strip()
            code = _BY_STATUS.get(status, ErrorCode.CONNECTION_LOST)
            if again and code not in _STILL_TRUE:
                code = ErrorCode.CONNECTION_LOST
            raise error_for(code, body or f"HTTP {status}") from None
        except (OSError, TimeoutError, InvalidHandshake, EOFError) as error:
            raise error_for(ErrorCode.CONNECTION_LOST, f"{url}: {error}") from error
        return cls(socket)

    async def send(self, data: str | bytes) -> None:
        """Send one message; returns when the socket's buffer has room again.

        Raises:
            LinkLostError: the connection is over, or stalled for `STALLED_S`.
        """
        try:
            async with asyncio.timeout(STALLED_S):
                await self._socket.send(data)
        except TimeoutError:
            self._socket.transport.abort()
            raise LinkLostError(ErrorCode.CONNECTION_LOST) from None
        except ConnectionClosed as error:
            raise LinkLostError(_code_of(error)) from None

    async def receive(self) -> str | bytes:
        """The next message.

        Raises:
            LinkLostError: the connection is over.
        """
        try:
            return await self._socket.recv()
        except ConnectionClosed as error:
            raise LinkLostError(_code_of(error)) from None

    async def messages(self) -> AsyncIterator[str | bytes]:
        """All further messages.

        Raises:
            LinkLostError: the connection is over.
        """
        while True:
            yield await self.receive()

    async def close(self) -> None:
        """Close in order, or after a short while in any way."""
        try:
            async with asyncio.timeout(2 * CLOSE_TIMEOUT_S):
                await self._socket.close()
        except TimeoutError:  # what waits to be sent is in the way of the close, too
            self._socket.transport.abort()
            await self._socket.wait_closed()


def endpoint(url: str, path: str) -> str:
    """The server's URL with `path`, unless it names a path already.

    Raises:
        ClientError: not a ws:// or wss:// URL.
    """
    parts = urlsplit(url)
    try:
        whole = parts.scheme in {"ws", "wss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of the port
        whole = False
    if not whole or parts.fragment:
        raise ClientError(ErrorCode.INVALID_MESSAGE, f"{url!r} is no ws:// or wss:// URL")
    return urlunsplit(parts._replace(path=parts.path if parts.path.strip("/") else path))


def _code_of(error: ConnectionClosed) -> ErrorCode | None:
    if error.rcvd is None:
        return ErrorCode.CONNECTION_LOST
    return error_for_close(error.rcvd.code, error.rcvd.reason)
