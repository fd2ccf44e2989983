"""The WebSocket port: which path is served by whom, and who is let in."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

from bargein_protocol.messages import SUBPROTOCOL
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from bargein_server.serving.auth import AuthError, Authority, Grant
from bargein_server.serving.connection import Connection
from bargein_server.serving.origins import is_own_host, may_connect
from bargein_server.serving.ports import is_served
from bargein_server.sessions.services import Services

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 1 << 20
CLOSE_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Route:
    """One kind of connection.

    Other dialects add theirs with `Listener.add`; the first whose `matches` says yes serves.
    """

    name: str
    matches: Callable[[str], bool]
    """Whether it serves this path (no query)."""
    allows: Callable[[Grant], bool]
    """Whether this grant is enough."""
    serve: Callable[[Connection], Awaitable[None]]
    """Serves one connection; the connection is closed when it returns."""
    check: Callable[[dict[str, str]], str | None] = lambda _: None
    """What is wrong with this query, if anything."""


class RefusedError(Exception):
    """An HTTP answer in place of a WebSocket."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class Listener:
    """Accepts WebSockets and hands each to its route."""

    def __init__(self, services: Services, authority: Authority) -> None:
        self._settings = services.settings
        self._metrics = services.metrics
        self._authority = authority
        self._routes: list[Route] = []
        self._servers: list[Server] = []
        self._refusing = False

    def add(self, route: Route) -> None:
        """Serve another kind of connection."""
        self._routes.append(route)

    async def start(self, port: int) -> int:
        """Listen; returns the port, which is another one if it is 0."""
        server = await serve(
            self._serve,
            self._settings.host,
            port,
            create_connection=Connection,
            process_request=self._process_request,
            select_subprotocol=_select_subprotocol,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            ping_interval=self._settings.ping_interval_s,
            ping_timeout=self._settings.ping_interval_s,
            close_timeout=CLOSE_TIMEOUT_S,
            server_header=None,
            reuse_port=True,
        )
        self._servers.append(server)
        return int(next(iter(server.sockets)).getsockname()[1])

    async def refuse(self) -> None:
        """Take no new connections; those that are open go on.

        If another process listens on the same port it gets them from now on (a rolling restart);
        if none does, they are answered with 503.
        """
        self._refusing = True
        for server in self._servers:
            port = server.sockets[0].getsockname()[1]
            server.server.close()  # at once, where `server.close` would take a turn of the loop
            server.close(close_connections=False)
            if not await is_served(self._settings.host, port):
                await self.start(port)
                return

    async def stop(self, close_code: int) -> None:
        """Stop listening and close what is still open."""
        for server in self._servers:
            server.close(close_connections=False)
        async with asyncio.TaskGroup() as closing:
            for connection in [c for server in self._servers for c in server.connections]:
                closing.create_task(connection.close(close_code))
        for server in self._servers:
            await server.wait_closed()

    # ----------------------------------------------------------------

    async def _serve(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Connection)  # noqa: S101 - made so in `start`
        with self._metrics.connections.track_inprogress():
            await connection.serve(connection)

    def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        assert isinstance(connection, Connection)  # noqa: S101
        try:
            self._admit(connection, request)
        except RefusedError as refusal:
            status = refusal.status
            self._metrics.refused.labels(str(status.value)).inc()
            logger.info("refused %s: %d %s", connection.path, status, refusal)
            response = connection.respond(status, f"{refusal}\n")
            if status is HTTPStatus.UNAUTHORIZED:
                response.headers["WWW-Authenticate"] = "Bearer"
            return response
        return None

    def _admit(self, connection: Connection, request: Request) -> None:
        connection.path, _, query = request.path.partition("?")
        connection.query = dict(parse_qsl(query))
        if self._refusing:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "the server is shutting down")
        route = self._route(connection.path)
        self._check_browser(request)
        token = connection.query.pop("access_token", None)
        try:
            connection.grant = self._authority.grant(request.headers.get("Authorization"), token)
        except AuthError as error:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, str(error)) from None
        if not route.allows(connection.grant):
            issuer = connection.grant.issuer
            text = f"the token of iss {issuer!r} does not allow {route.name}"
            raise RefusedError(HTTPStatus.FORBIDDEN, text)
        problem = route.check(connection.query)
        if problem is not None:
            raise RefusedError(HTTPStatus.BAD_REQUEST, problem)
        connection.serve = route.serve

    def _route(self, path: str) -> Route:
        for route in self._routes:
            if route.matches(path):
                return route
        names = ", ".join(route.name for route in self._routes)
        raise RefusedError(HTTPStatus.NOT_FOUND, f"nothing is served here; there are {names}")

    def _check_browser(self, request: Request) -> None:
        origin, keys = request.headers.get("Origin"), not self._authority.open
        host, allowed = request.headers.get("Host"), self._settings.allow_origins
        if not may_connect(origin, host, allowed=allowed, keys=keys):
            raise RefusedError(
                HTTPStatus.FORBIDDEN, f"pages of {origin} may not connect; see --allow-origin"
            )
        if origin is not None and not is_own_host(host, keys=keys):
            raise RefusedError(HTTPStatus.FORBIDDEN, "the `Host` header does not name this machine")


def _select_subprotocol(
    connection: ServerConnection,  # noqa: ARG001
    offered: Sequence[Subprotocol],
) -> Subprotocol | None:
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None
