"""The page behind a proxy that stands before both ports, as the README tells to set one up."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import aiohttp
import pytest
from aiohttp import web
from bargein_server.models.predictor import Predictor
from support.chromium import Browser, expect, open_page
from support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOCKETS = {"/v1/session", "/v1/events"}
KEPT = {"Content-Type", "Content-Security-Policy"}


class Proxy:
    """Sends two paths to the WebSocket port and everything else to the HTTP port."""

    def __init__(self, server: RunningServer, http: aiohttp.ClientSession) -> None:
        self._server = server
        self._http = http

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {"Host": request.host}
        if request.path in SOCKETS:
            return await self._join(request, headers | {"Origin": request.headers["Origin"]})
        url = self._server.http_url + request.path_qs
        async with self._http.get(url, headers=headers) as answer:
            kept = {name: answer.headers[name] for name in KEPT if name in answer.headers}
            return web.Response(body=await answer.read(), status=answer.status, headers=kept)

    async def _join(self, request: web.Request, headers: dict[str, str]) -> web.WebSocketResponse:
        near = web.WebSocketResponse(protocols=["bargein.v1"])
        url = self._server.url + request.path_qs
        async with self._http.ws_connect(url, headers=headers, protocols=["bargein.v1"]) as far:
            await near.prepare(request)
            passing = asyncio.create_task(_pass_on(near, far))
            await _pass_on(far, near)
            passing.cancel()
        return near


async def _pass_on(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    target: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)
        else:
            await target.send_bytes(message.data)
    await target.close()


@contextlib.asynccontextmanager
async def proxied(server: RunningServer) -> AsyncGenerator[str]:
    """The address of a proxy before `server`."""
    async with aiohttp.ClientSession() as http:
        app = web.Application()
        app.router.add_get("/{path:.*}", Proxy(server, http).handle)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def test_the_page_finds_the_sockets_on_its_own_port(
    predictor: Predictor, browser: Browser
) -> None:
    async with (
        running_server(predictor=predictor) as server,
        proxied(server) as url,
        open_page(browser, f"{url}/#live") as page,
    ):
        await expect(page.locator("#live-state-text")).to_have_text("Live")
        await page.get_by_role("link", name="Try it").click()
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator("#try-state-text")).to_have_text("The agent is speaking")
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator("#try-state-text")).to_contain_text("Finished")
