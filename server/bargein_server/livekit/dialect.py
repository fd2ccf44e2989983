"""The dialect in a server: its paths, its sessions, and what they share."""

import contextlib
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from bargein_server.detection.timing import samples
from bargein_server.livekit import post
from bargein_server.livekit.answering import Answering
from bargein_server.livekit.diagnostics import Labels, Ledger, LivekitMetrics
from bargein_server.livekit.hearing import Hearing
from bargein_server.livekit.judgement import Rule
from bargein_server.livekit.links import Open, over_aiohttp, over_websockets
from bargein_server.livekit.messages import DialectError, SessionSettings
from bargein_server.livekit.session import (
    Answer,
    Farewell,
    LivekitSession,
    new_session_id,
)
from bargein_server.livekit.speech import WindowSpeech
from bargein_server.serving.auth import Grant
from bargein_server.serving.connection import Connection
from bargein_server.serving.http import GRANT, Handler
from bargein_server.serving.listener import Route
from bargein_server.sessions.services import Services

if TYPE_CHECKING:
    from bargein_server.serving.app import App

PATH = "/bargein"
"""Every path that ends like this is the dialect's: clients put their base URL before it."""
_RESTART = Farewell(1012, "the server is restarting")
_FULL = Farewell(1013, "the server holds all it can; see --max-sessions")


class Dialect:
    """All LiveKit sessions of a server.

    Args:
        services: what the server's sessions share.
        welcome: whether new sessions are taken.
    """

    def __init__(self, services: Services, welcome: Callable[[], bool]) -> None:
        self._services = services
        self._welcome = welcome
        self._metrics = LivekitMetrics(services.metrics.registry)
        self._sessions: dict[LivekitSession, Grant] = {}

    async def serve(self, connection: Connection) -> None:
        """Serve a WebSocket of the main port."""
        if self._full:
            await connection.close(*_FULL)
            return
        request = connection.request
        headers = [] if request is None else list(request.headers.raw_items())
        with self._open(connection.grant, headers) as open_:
            await over_websockets(connection, open_)

    async def upgrade(self, request: web.Request) -> web.StreamResponse:
        """Serve a WebSocket of the HTTP port."""
        if not self._welcome():
            return web.Response(status=503, text="the server is shutting down\n")
        if self._full:
            return web.Response(status=503, text=f"{_FULL.reason}\n")
        with self._open(request[GRANT], request.headers.items()) as open_:
            return await over_aiohttp(request, open_, self._services.settings.ping_interval_s)

    async def post(self, request: web.Request) -> web.Response:
        """Answer one window over HTTP; a server that drains still does."""
        with self._services.census.present():
            try:
                settings = post.read_settings(request.query)
                window = post.read_window(request.query, await request.read())
            except DialectError as error:
                return web.Response(status=error.code, text=f"{error}\n")
            answered = await post.judge(window, settings, self._answering)
            self._metrics.count(answered)
            response = _json(post.encode_answer(answered))
        if not self._welcome():
            response.force_close()  # the next window may find another process behind this port
        return response

    async def list_sessions(self, request: web.Request) -> web.Response:
        """The sessions that the caller may see."""
        grant = request[GRANT]
        if not grant.events:
            text = f"the token of iss {grant.issuer!r} does not allow events\n"
            return web.Response(status=403, text=text)
        seen = [
            session.ledger.describe()
            for session, owner in self._sessions.items()
            if owner.issuer == grant.issuer and grant.may_see(session.ledger.session_id)
        ]
        return _json(orjson.dumps({"sessions": seen}))

    async def shut(self, app: web.Application) -> None:  # noqa: ARG002 - aiohttp's signature
        """End all sessions: the server stops."""
        for session in tuple(self._sessions):
            session.part(_RESTART)

    # ----------------------------------------------------------------

    @contextlib.contextmanager
    def _open(self, grant: Grant, headers: Iterable[tuple[str, str]]) -> Generator[Open]:
        """What makes the session of one connection; it is counted until the block ends."""
        ledger = Ledger(new_session_id(), Labels.of(headers), self._metrics)

        def open_(send: Callable[[bytes], None]) -> LivekitSession:
            session = LivekitSession(
                send,
                ledger,
                default_threshold=self._default_threshold,
                answering=self._answering,
            )
            self._sessions[session] = grant
            session.farewell.add_done_callback(lambda _: self._sessions.pop(session))
            return session

        self._metrics.started.inc()
        with self._services.census.present(), self._metrics.sessions.track_inprogress():
            yield open_

    @property
    def _full(self) -> bool:
        return len(self._sessions) >= self._services.settings.max_sessions

    def _answering(self, settings: SessionSettings, answered: Answer) -> Answering:
        asked = settings.threshold
        rule = Rule(
            threshold=self._default_threshold if asked is None else asked,
            min_frames=settings.min_frames,
            vad_min_speech=samples(self._services.defaults.vad_min_speech_ms),
        )
        return Answering(self._services.predictor, Hearing(self._listen), rule, answered)

    def _listen(self) -> WindowSpeech:
        options = self._services.defaults
        return WindowSpeech(self._services.vad(options), options)

    @property
    def _default_threshold(self) -> float:
        own = self._services.defaults.threshold
        return self._services.model.default_threshold if own is None else own


def add_livekit(app: "App") -> None:
    """`…/bargein`: LiveKit's agents, on both ports."""
    dialect = Dialect(app.services, app.is_ready)
    app.listener.add(
        Route(
            name=f"…{PATH}",
            matches=lambda path: path.endswith(PATH),
            allows=lambda grant: bool(grant.session),
            serve=dialect.serve,
        )
    )
    guard = partial(_for_sessions, app.companion.authorized)
    routes = app.companion.app.router
    routes.add_get(f"/{{base:(.*/)?}}{PATH[1:]}", guard(dialect.upgrade))
    routes.add_post(f"/{{base:(.*/)?}}{PATH[1:]}", guard(dialect.post))
    routes.add_get("/v1/livekit/sessions", app.companion.authorized(dialect.list_sessions))
    app.companion.app.on_shutdown.append(dialect.shut)


def _for_sessions(authorized: Callable[[Handler], Handler], handler: Handler) -> Handler:
    """A handler for callers whose token allows sessions."""

    async def checked(request: web.Request) -> web.StreamResponse:
        grant = request[GRANT]
        if not grant.session:
            text = f"the token of iss {grant.issuer!r} does not allow …{PATH}\n"
            return web.Response(status=403, text=text)
        return await handler(request)

    return authorized(checked)


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")
