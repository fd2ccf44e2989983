"""Serves the page and what it asks for; see `add_pages`."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import orjson
from aiohttp import web

from bargein_server.pages.recordings import Shelf
from bargein_server.serving.auth import Grant
from bargein_server.serving.http import GRANT

if TYPE_CHECKING:
    from bargein_server.serving.app import App

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
CLIENT = _HERE / "client"
"""The browser client; in the source a link to where it is kept."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".svg": "image/svg+xml",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d+)?")


def add_pages(app: "App") -> None:
    """`GET /` and the page's files; `/v1/page` and `/v1/recordings`, which it asks for."""
    pages = _Pages(app)
    router, authorized = app.companion.app.router, app.companion.authorized
    router.add_get("/", pages.index)
    router.add_get("/page/{path:.+}", pages.file)
    router.add_get("/client/{path:.+}", pages.file)
    router.add_get("/v1/page", pages.facts)
    router.add_get("/v1/recordings", authorized(pages.recordings))
    router.add_get("/v1/recordings/{name}", authorized(pages.recording_files))
    router.add_get("/v1/recordings/{name}/{file}", authorized(pages.recording))


class _Pages:
    def __init__(self, app: "App") -> None:
        self._app = app
        record = app.settings.record
        self._shelf = None if record is None else Shelf(record)
        self._files = _files(STATIC, "/page/") | _files(CLIENT, "/client/")

    async def index(self, request: web.Request) -> web.StreamResponse:
        policy = _POLICY.format(sockets=self._sockets(request))
        return _send(self._files["/page/index.html"], {"Content-Security-Policy": policy})

    async def file(self, request: web.Request) -> web.StreamResponse:
        path = self._files.get(request.path)
        return _send(path) if path is not None else _not_found()

    async def facts(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """What the page has to know before it has a token."""
        services, addresses = self._app.services, self._app.addresses
        content = {
            "port": addresses.port,
            "http_port": addresses.http_port,
            "token_needed": not self._app.authority.open,
            "recording": self._recording(),
            "model": msgspec.to_builtins(services.model),
            "server": msgspec.to_builtins(services.server),
        }
        return web.Response(body=orjson.dumps(content), content_type="application/json")

    async def recordings(self, request: web.Request) -> web.Response:
        shelf = self._shelf_for(request[GRANT])
        entries = await asyncio.to_thread(shelf.newest)
        body = orjson.dumps({"recordings": entries})
        return web.Response(body=body, content_type="application/json")

    async def recording_files(self, request: web.Request) -> web.Response:
        files = self._shelf_for(request[GRANT]).files(request.match_info["name"])
        if not files:
            return _not_found()
        return web.Response(body=orjson.dumps({"files": files}), content_type="application/json")

    async def recording(self, request: web.Request) -> web.StreamResponse:
        shelf = self._shelf_for(request[GRANT])
        path = shelf.find(request.match_info["name"], request.match_info["file"])
        return _send(path) if path is not None else _not_found()

    def _recording(self) -> str:
        if self._shelf is None:
            return "off"
        return "asked" if self._app.settings.allow_record else "all"

    def _shelf_for(self, grant: Grant) -> Shelf:
        """The recordings, for whoever may follow all sessions.

        A recording does not say whose key it belongs to, so several keys cannot share the page.
        """
        if self._shelf is None:
            raise web.HTTPNotFound(text="the server does not record; see --record\n")
        if grant.events is not True:
            raise web.HTTPForbidden(text="the token does not allow to follow all sessions\n")
        if len(self._app.settings.keys) > 1:
            raise web.HTTPForbidden(text="with several keys, open recordings from disk\n")
        return self._shelf

    def _sockets(self, request: web.Request) -> str:
        """The WebSocket port as sources of the policy; through a proxy it is the page's own."""
        match = _HOST.fullmatch(request.host)
        port = self._app.addresses.port
        return "" if match is None else f" ws://{match[1]}:{port} wss://{match[1]}:{port}"


def _files(folder: Path, prefix: str) -> dict[str, Path]:
    """Every file below `folder` that a browser may have, by its URL."""
    found = (path for path in folder.rglob("*") if path.suffix in _TYPES)
    return {prefix + path.relative_to(folder).as_posix(): path for path in found}


def _send(path: Path, headers: Mapping[str, str] | None = None) -> web.StreamResponse:
    kind = {"Content-Type": _TYPES[path.suffix]}
    return web.FileResponse(path, headers={**_HEADERS, **kind, **(headers or {})})


def _not_found() -> web.Response:
    return web.Response(status=404, text="there is nothing here\n")
