"""The page for those who watch, who use the keyboard, and who need a token."""

import contextlib
import json
from pathlib import Path
from shutil import copytree
from urllib.parse import urlsplit

import aiohttp
import pytest
import websockets
from bargein_server.models.predictor import Predictor
from support.chromium import Browser, Page, expect, open_page
from support.peer import peer
from support.server import running_server
from support.sounds import growing, silence, voice

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAMPLES = Path(__file__).parents[2] / "scripts" / "samples"
SECRET = "a secret of no less than 32 bytes"
AXE = Path(__file__).parents[2] / ".tools/browser/node_modules/axe-core/axe.min.js"
READY = {
    "try": "#try-sources label >> nth=0",
    "live": "#live-state[data-mood=held]",
    "recordings": "#recording",
}
"""What is there when a view is complete."""
FOCUS_IS_SEEN = """() => {
  const of = document.activeElement;
  const shown = of.matches(".card input") ? of.nextElementSibling : of;
  const { outlineStyle, outlineWidth } = getComputedStyle(shown);
  return of.matches(":focus-visible") && outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
}"""
NAME = """() => {
  const of = document.activeElement;
  return of.id || of.value || of.getAttribute("href") || of.textContent.trim();
}"""

NEXT_FRAME = """() => new Promise((drawn) =>
  requestAnimationFrame(() => requestAnimationFrame(drawn)))"""


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until the focus is on the element of this id, value, target or text."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement === document.body"):
            continue  # the end of the page
        assert await page.evaluate(FOCUS_IS_SEEN), await page.evaluate(NAME)
        if await page.evaluate(NAME) == name:
            return
    raise AssertionError(f"Tab does not reach {name}")


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    for name in ("interruption.bargein", "yeah-but.bargein"):
        copytree(SAMPLES / name, tmp_path / "recordings" / name)
    return tmp_path / "recordings"


async def test_everything_can_be_done_by_keyboard(
    predictor: Predictor, browser: Browser, recordings: Path
) -> None:
    async with (
        running_server(predictor=predictor, record=recordings, allow_record=True) as server,
        open_page(browser, server.http_url) as page,
    ):
        await expect(page.locator("#try-sources input")).to_have_count(4)
        await tab_to(page, "question")
        await page.keyboard.press("ArrowDown")
        assert await page.evaluate(NAME) == "but"
        await page.keyboard.press("Enter")  # starts the form
        await expect(page.locator("#try-state-text")).to_have_text("The agent is speaking")
        assert await page.evaluate(NAME) == "try-start"
        await page.keyboard.press("Space")
        await expect(page.locator("#try-state-text")).to_contain_text("Finished")

        await page.locator(".skip").focus()
        await page.keyboard.press("Enter")
        assert await page.evaluate(NAME) == "main"
        await page.evaluate(NEXT_FRAME)  # with which the browser may focus the target once more
        await page.evaluate("document.activeElement.blur()")
        await tab_to(page, "#recordings")
        await page.keyboard.press("Enter")
        await expect(page.locator("#view-recordings")).to_be_visible()
        await expect(page.locator("#view-try")).to_be_hidden()
        await expect(page.locator("#recordings-list button").first).to_be_visible()
        await page.locator("#recordings-list button", has_text="interruption").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#recording")).to_be_visible()
        await tab_to(page, "recording-timeline")
        for key in ("+", "ArrowRight", "-", "End", "Home", "0"):
            await page.keyboard.press(key)
        await tab_to(page, "recording-threshold")
        await page.keyboard.press("End")
        await expect(page.locator("#recording-outcome")).to_have_text(
            "1 of 1 verdict would change."
        )
        await tab_to(page, "recording-reset")
        await page.keyboard.press("Enter")
        await expect(page.locator("#recording-outcome")).to_have_text("As recorded: 1 verdict.")


async def test_what_happens_is_said_to_those_who_do_not_see_it(
    predictor: Predictor, browser: Browser
) -> None:
    async with (
        running_server(predictor=predictor) as server,
        open_page(browser, server.http_url) as page,
    ):
        await expect(page.locator("#try-state")).to_have_role("status")
        await expect(page.locator("#try-verdicts")).to_have_attribute("aria-live", "polite")
        await expect(page.locator("#try-timeline")).to_have_accessible_name(
            "What was heard and decided. Arrow keys move, plus and minus zoom."
        )
        await expect(page.locator("#try-threshold")).to_have_accessible_name(
            "Probability that makes an interruption"
        )
        await expect(page.locator("nav a[aria-current=page]")).to_have_text("Try it")


async def test_it_fits_a_phone(predictor: Predictor, browser: Browser, recordings: Path) -> None:
    async with (
        running_server(predictor=predictor, record=recordings) as server,
        open_page(browser, server.http_url, viewport={"width": 360, "height": 740}) as page,
    ):
        for view in ("#try", "#live", "#recordings/yeah-but.bargein"):
            await page.goto(f"{server.http_url}/{view}")
            await expect(page.locator("main > section:not([hidden])")).to_have_count(1)
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= 360, view


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_it_is_accessible_by_the_rules_of_axe(
    predictor: Predictor, browser: Browser, recordings: Path, theme: str
) -> None:
    async with (
        running_server(predictor=predictor, record=recordings, allow_record=True) as server,
        open_page(browser, server.http_url, color_scheme=theme, bypass_csp=True) as page,
    ):
        for view in ("try", "live", "recordings/yeah-but.bargein"):
            await page.goto(f"{server.http_url}/#{view}")
            await page.reload()
            await expect(page.locator(READY[view.partition("/")[0]])).to_be_visible()
            await page.add_script_tag(path=AXE)
            found = await page.evaluate("axe.run()")
            problems = [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]]
            assert problems == [], view


async def test_live_sessions_are_listed_as_they_come_and_go(
    predictor: Predictor, browser: Browser, tmp_path: Path
) -> None:
    async with (
        running_server(predictor=predictor, record=tmp_path) as server,
        peer(server.session_url) as before,
        peer(server.session_url) as after,
    ):
        await before.create(session_id="before", metadata={"line": "12"})
        async with open_page(browser, f"{server.http_url}/#live") as page:
            row = page.locator("tr[data-session=before]")
            await expect(row).to_contain_text("line: 12")
            await after.create(session_id="after")
            await expect(page.locator("#live-rows tr")).to_have_count(2)
            await before.say("agent.started")
            await before.play(silence(2) + voice(1.5))
            await before.wait_for("interruption")
            await expect(row.locator(".chip")).to_have_text("Interruption")
            await before.say("session.close")
            await expect(row).to_contain_text("ended")
            await row.get_by_role("link").click()
            await expect(page.locator("#recording-outcome")).to_have_text("As recorded: 1 verdict.")


async def test_livekits_sessions_are_listed_with_what_they_asked(
    predictor: Predictor, browser: Browser
) -> None:
    windows = growing(silence(1) + voice(1.0), first_s=1.9)
    room = {"X-LiveKit-Room-Id": "RM_1", "Authorization": "Bearer any"}
    async with (
        running_server(predictor=predictor) as server,
        open_page(browser, f"{server.http_url}/#live") as page,
    ):
        await expect(page.locator("#live-state-text")).to_have_text("Live")
        agent = websockets.connect(f"{server.url}/bargein", additional_headers=room)
        async with agent as socket:
            settings = {"sample_rate": 16000, "num_channels": 1, "min_frames": 2}
            create = {"type": "session.create", "settings": {**settings, "encoding": "s16le"}}
            await socket.send(json.dumps(create))
            for window in windows:
                await socket.send(bytes(8) + window)
            row = page.locator("#live-rows tr")
            await expect(row).to_contain_text("room: RM_1")
            await expect(row).to_contain_text(f"LiveKit, {len(windows)} windows")
        await expect(row).to_contain_text("ended")


async def test_the_live_page_says_while_the_server_is_away(
    predictor: Predictor, browser: Browser
) -> None:
    async with contextlib.AsyncExitStack() as first:
        server = await first.enter_async_context(running_server(predictor=predictor))
        async with open_page(browser, f"{server.http_url}/#live") as page:
            state = page.locator("#live-state-text")
            await expect(state).to_have_text("Live")
            await first.aclose()
            await expect(state).to_have_text("The connection was lost; trying again …")
            ports = {"port": urlsplit(server.url).port, "http_port": urlsplit(server.http_url).port}
            async with running_server(predictor=predictor, **ports):
                await expect(state).to_have_text("Live")


async def test_a_server_with_keys_is_asked_with_a_token(
    predictor: Predictor, browser: Browser
) -> None:
    async with running_server(predictor=predictor, keys={"key": SECRET}) as server:
        basic = {"Authorization": aiohttp.encode_basic_auth("key", SECRET)}
        async with (
            aiohttp.ClientSession(server.http_url, headers=basic) as http,
            http.post("/v1/tokens", json={"events": True}) as response,
        ):
            answer = await response.text()
        async with open_page(browser, f"{server.http_url}/#live") as page:
            dialog = page.get_by_role("dialog")
            await expect(dialog).to_contain_text("/v1/tokens")
            await page.get_by_role("textbox", name="Token").fill(answer)  # as it was printed
            await page.keyboard.press("Enter")
            await expect(page.locator("#live-state-text")).to_have_text("Live")
            kept = await page.evaluate("sessionStorage.getItem('bargein.token')")
            assert kept == json.loads(answer)["token"]
            assert SECRET not in await page.content()
