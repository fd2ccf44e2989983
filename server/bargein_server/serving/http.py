"""The HTTP companion port: health, metrics, sessions, tokens, and what other modules add."""

import logging
from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
import orjson
from aiohttp import web
from bargein_protocol.messages import SessionId
from msgspec import UNSET, Meta, UnsetType

from bargein_server.observing.subscribers import may_see
from bargein_server.serving.auth import MAX_TTL_S, AuthError, Authority, Grant
from bargein_server.serving.origins import is_own_host, may_connect
from bargein_server.serving.ports import is_served
from bargein_server.sessions.registry import Entry, Sessions
from bargein_server.sessions.services import Services

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 1 << 20
SHUTDOWN_TIMEOUT_S = 5.0
"""What a request under way may take when the server stops."""
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
GRANT = web.RequestKey("grant", Grant)
"""What the caller of a route behind `Companion.authorized` may do."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/tokens`."""

    session_id: SessionId | UnsetType = UNSET
    """The only session that the token opens, joins or follows; absent: any."""
    events: bool = False
    """Whether it may follow events."""
    ttl_s: Annotated[int, Meta(ge=1, le=MAX_TTL_S)] = 600
    """Seconds until it expires."""


class Companion:
    """The HTTP server beside the WebSocket port.

    Other modules add routes to `app.router` before `start`.
    """

    def __init__(
        self,
        services: Services,
        authority: Authority,
        sessions: Sessions,
        is_ready: Callable[[], bool],
    ) -> None:
        self._settings = services.settings
        self._authority = authority
        self._sessions = sessions
        self._metrics = services.metrics
        self._is_ready = is_ready
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self.app = web.Application(
            client_max_size=MAX_BODY_BYTES, middlewares=[self._check_browser]
        )
        self.app.router.add_get("/healthz", self._healthz)
        self.app.router.add_get("/readyz", self._readyz)
        self.app.router.add_get("/metrics", self._render_metrics)
        self.app.router.add_get("/v1/sessions", self.authorized(self._list_sessions))
        self.app.router.add_post("/v1/tokens", self.authorized(self._make_token))

    async def start(self, port: int) -> int:
        """Listen; returns the port, which is another one if it is 0."""
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
        await self._runner.setup()
        return await self._listen(self._runner, port)

    async def yield_port(self) -> None:
        """Leave new connections to another process, if one listens on the same port."""
        runner, site = self._runner, self._site
        if runner is None or site is None:
            return
        port = int(runner.addresses[0][1])
        await site.stop()
        if not await is_served(self._settings.host, port):
            await self._listen(runner, port)

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def authorized(self, handler: Handler) -> Handler:
        """A handler for callers with a valid token only; `request[GRANT]` says what it allows."""

        async def checked(request: web.Request) -> web.StreamResponse:
            token = request.query.get("access_token")
            try:
                grant = self._authority.grant(request.headers.get("Authorization"), token)
            except AuthError as error:
                headers = {"WWW-Authenticate": "Bearer"}
                return web.Response(status=401, text=f"{error}\n", headers=headers)
            request[GRANT] = grant
            return await handler(request)

        return checked

    # ----------------------------------------------------------------

    async def _listen(self, runner: web.AppRunner, port: int) -> int:
        self._site = web.TCPSite(runner, self._settings.host, port, reuse_port=True)
        await self._site.start()
        return int(runner.addresses[0][1])

    @web.middleware
    async def _check_browser(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin, keys = request.headers.get("Origin"), not self._authority.open
        host, allowed = request.headers.get("Host"), self._settings.allow_origins
        if not may_connect(origin, host, allowed=allowed, keys=keys):
            return web.Response(status=403, text=f"pages of {origin} may not; see --allow-origin\n")
        if not is_own_host(host, keys=keys):
            return web.Response(status=403, text="the `Host` header does not name this machine\n")
        preflight = request.method == "OPTIONS" and origin is not None
        response = web.Response(status=204) if preflight else await handler(request)
        if origin is not None:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Vary"] = "Origin"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        return response

    async def _healthz(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.Response(text="ok\n")

    async def _readyz(self, request: web.Request) -> web.Response:  # noqa: ARG002
        if self._is_ready():
            return web.Response(text="ready\n")
        return web.Response(status=503, text="not taking new sessions\n")

    async def _render_metrics(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.Response(body=self._metrics.render(), headers={"Content-Type": METRICS_TYPE})

    async def _list_sessions(self, request: web.Request) -> web.Response:
        grant = request[GRANT]
        entries = [
            _describe(entry)
            for entry in self._sessions
            if may_see(grant, entry.issuer, entry.session.session_id)
        ]
        return _json({"sessions": entries})

    async def _make_token(self, request: web.Request) -> web.Response:
        grant = request[GRANT]
        if not grant.tokens:
            text = f"a token of iss {grant.issuer!r} needs the claim bargein.tokens = true\n"
            return web.Response(status=403, text=text)
        try:
            wanted = msgspec.json.decode(await request.read() or b"{}", type=TokenRequest)
        except msgspec.DecodeError as error:
            return web.Response(status=400, text=f"{error}\n")
        scope = True if isinstance(wanted.session_id, UnsetType) else wanted.session_id
        events = scope if wanted.events else False
        granted = Grant(issuer=grant.issuer, session=scope, events=events)
        token = self._authority.issue(granted, wanted.ttl_s)
        return _json({"token": token, "expires_in_s": wanted.ttl_s})


def _describe(entry: Entry) -> dict[str, object]:
    session = entry.session
    return {
        "session_id": session.session_id,
        "state": session.state.name.lower(),
        "started_at": entry.started_at,
        "at_ms": session.at_ms,
        "metadata": entry.metadata,
        "last_verdict": msgspec.to_builtins(session.last_verdict),
    }


def _json(content: object) -> web.Response:
    return web.Response(body=orjson.dumps(content), content_type="application/json")
