"""The example of the README, as it stands there, on a site of its own."""

from pathlib import Path

import pytest
from aiohttp import web
from bargein_server.models.predictor import Predictor
from support.chromium import chromium, expect, open_page
from support.markdown import blocks
from support.server import running_server

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "client" / "browser" / "examples" / "microphone.html"


def test_the_readme_shows_the_example() -> None:
    [block] = blocks(ROOT / "README.md", claim="file", language="html")
    assert ROOT / block.argument == EXAMPLE
    assert block.text == EXAMPLE.read_text()


@pytest.mark.asyncio(loop_scope="module")
async def test_the_example_stops_the_agent(predictor: Predictor, microphone: Path) -> None:
    async with running_server(predictor=predictor) as server:
        host, port, http_port = server.app.addresses
        text = EXAMPLE.read_text()
        text = text.replace("127.0.0.1:8765", f"{host}:{port}")
        text = text.replace("127.0.0.1:8766", f"{host}:{http_port}")

        async def page_of_another_site(_: web.Request) -> web.Response:
            return web.Response(text=text, content_type="text/html")

        site = web.Application()
        site.router.add_get("/", page_of_another_site)
        site.router.add_get("/favicon.ico", page_of_another_site)
        runner = web.AppRunner(site)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
            async with chromium(microphone) as browser, open_page(browser, url) as page:
                await page.get_by_role("button").click()
                told = page.locator("pre")
                await expect(told).to_contain_text("went on: backchannel")
                assert not await page.evaluate("document.querySelector('audio').paused")
                await expect(told).to_contain_text("stopped after")
                assert await page.evaluate("document.querySelector('audio').paused")
        finally:
            await runner.cleanup()
