"""One WebSocket to the server: opened, authorised, and its end told as an error code."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

from bargein_protocol.errors import ErrorCode, error_for_close
from bargein_protocol.messages import SUBPROTOCOL
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from bargein_client.credentials import Credentials
from bargein_client.errors import ClientError, error_for

CLOSE_TIMEOUT_S = 2.0
_BY_STATUS = {
    401: ErrorCode.UNAUTHORIZED,
    403: ErrorCode.FORBIDDEN,
    400: ErrorCode.INVALID_MESSAGE,
    404: ErrorCode.INVALID_MESSAGE,
    503: ErrorCode.SERVER_FULL,
}


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
    async def open(cls, url: str, credentials: Credentials) -> "Link":
        """Connect.

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
            code = _BY_STATUS.get(status, ErrorCode.INTERNAL_ERROR)
            raise error_for(code, body or f"HTTP {status}") from None
        except (OSError, TimeoutError, InvalidHandshake, EOFError) as error:
            raise error_for(ErrorCode.CONNECTION_LOST, f"{url}: {error}") from error
        return cls(socket)

    async def send(self, data: str | bytes) -> None:
        """Send one message; returns when the socket's buffer has room again.

        Raises:
            LinkLostError: the connection is over.
        """
        try:
            await self._socket.send(data)
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
        await self._socket.close()


def endpoint(url: str, path: str) -> str:
    """The server's URL with `path`, unless it names a path already.

    Raises:
        ClientError: not a ws:// or wss:// URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise ClientError(ErrorCode.INVALID_MESSAGE, f"{url!r} is no ws:// or wss:// URL")
    return urlunsplit(parts._replace(path=parts.path if parts.path.strip("/") else path))


def _code_of(error: ConnectionClosed) -> ErrorCode | None:
    return error_for_close(error.rcvd.code) if error.rcvd else ErrorCode.CONNECTION_LOST
