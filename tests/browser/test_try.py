"""The demonstration in a real browser, with a microphone that plays a file."""

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from bargein_server.detection.inputs import AgentStopped
from bargein_server.models.predictor import Predictor
from bargein_server.recording.reader import Recording, read_recording
from bargein_server.recording.recorder import wait_for_disk
from numpy.typing import NDArray
from support.chromium import Browser, Page, chromium, expect, open_page
from support.relay import relay_to
from support.server import running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

PIXELS = """(name) => {
  const canvas = document.querySelector("#try-timeline canvas");
  const style = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const wanted = [1, 3, 5].map((at) => parseInt(style.slice(at, at + 2), 16));
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (wanted.every((value, index) => data[at + index] === value)) found++;
  }
  return found;
}"""
"""How many pixels of the timeline have exactly this colour of the theme."""


async def choose(page: Page, source: str) -> None:
    await page.check(f"#try-sources input[value={source}]", force=True)


def verdicts(page: Page, kind: str) -> Any:
    return page.locator(f"#try-verdicts li[data-kind={kind}]")


async def decided(page: Page) -> int:
    """Pixels of the timeline that are a verdict's."""
    return sum([await page.evaluate(PIXELS, kind) for kind in ("held", "interruption")])


def events_of(recording: Recording) -> list[dict[str, Any]]:
    return [orjson.loads(event) for event in recording.events]


def only_recording(folder: Path) -> Recording:
    wait_for_disk()
    [path] = folder.iterdir()
    return read_recording(path)


def loudness(pcm: bytes | None, from_ms: float, to_ms: float) -> float:
    """Root mean square of a part of a track."""
    assert pcm is not None
    samples: NDArray[np.int16] = np.frombuffer(pcm, np.int16)[int(from_ms * 16) : int(to_ms * 16)]
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


async def test_the_agent_goes_on_over_a_backchannel_and_stops_on_an_interruption(
    predictor: Predictor, microphone: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "recordings"
    async with (
        running_server(predictor=predictor, record=folder) as server,
        chromium(microphone) as browser,
        open_page(browser, server.http_url) as page,
    ):
        await choose(page, "microphone")
        await page.get_by_role("button", name="Start").click()
        state = page.locator("#try-state-text")
        await expect(verdicts(page, "held")).to_contain_text("Backchannel")
        await expect(state).to_have_text("Backchannel (listening along): the agent goes on")
        await expect(verdicts(page, "interruption")).to_contain_text("by the model")
        await expect(state).to_contain_text("Interrupted: the agent stopped after")
        for colour in ("agent", "user", "interruption", "held"):
            await page.wait_for_function(f"({PIXELS})({colour!r}) > 20")
        await expect(state).to_have_text("The agent is speaking")  # once the user has finished
        await page.get_by_role("button", name="Stop").click()
        await expect(state).to_have_text("Finished: 1 interruption, 1 held · Open the recording")
    recording = only_recording(folder)
    [held] = [event for event in events_of(recording) if event["type"] == "non_interruption"]
    assert loudness(recording.agent, held["at_ms"], held["at_ms"] + 800) > 100
    stopped_ms = next(
        entry.content.at / 16
        for entry in recording.entries()
        if isinstance(entry.content, AgentStopped)
    )
    assert loudness(recording.agent, stopped_ms + 300, stopped_ms + 800) == 0


def ports_of(ready: Path) -> tuple[int, int]:
    """Where a server said that it listens: its sockets, and its page."""
    told = orjson.loads(ready.read_bytes())
    return told["port"], told["http_port"]


@contextlib.asynccontextmanager
async def served(tmp_path: Path, at: Path | None = None) -> AsyncGenerator[str]:
    """The page of a server in a process of its own, with the shipped model; it ends by a crash.

    `at`: what another told when it was ready, whose ports it takes.
    """
    ready = tmp_path / "ready.json"
    port, http_port = ports_of(at) if at else (0, 0)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bargein_client", "serve",
        "--port", str(port), "--http-port", str(http_port),
        "--ready-file", str(ready),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert b"listening" in await process.stdout.readline()
        yield f"http://127.0.0.1:{ports_of(ready)[1]}"
    finally:
        process.kill()
        await process.communicate()


async def test_the_shipped_model_tells_alright_from_alright_but(
    browser: Browser, tmp_path: Path
) -> None:
    async with served(tmp_path) as url, open_page(browser, url) as page:
        await choose(page, "but")
        await page.get_by_role("button", name="Start").click()
        await expect(verdicts(page, "held")).to_have_count(1)
        await expect(verdicts(page, "interruption")).to_have_count(1)
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator("#try-state-text")).to_have_text(
            "Finished: 1 interruption, 1 held"
        )


async def test_a_cut_connection_is_resumed_and_nothing_is_lost(
    predictor: Predictor, browser: Browser, tmp_path: Path
) -> None:
    folder = tmp_path / "recordings"
    async with (
        running_server(predictor=predictor, record=folder) as server,
        relay_to(server.url) as network,
    ):
        server.app.addresses = server.app.addresses._replace(port=network.port)
        async with open_page(browser, server.http_url) as page:
            await choose(page, "but")
            await page.get_by_role("button", name="Start").click()
            await expect(verdicts(page, "held")).to_have_count(1)
            network.cut()
            await network.until_accepted(2)
            await expect(verdicts(page, "interruption")).to_have_count(1)
            assert len(server.app.sessions) == 1
            await page.get_by_role("button", name="Stop").click()
            await expect(page.locator("#try-state-text")).to_contain_text(
                "Finished: 1 interruption, 1 held"
            )
            await expect(page.locator("#try-verdicts li")).to_have_count(2)
    numbers = [event["seq"] for event in events_of(only_recording(folder))]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_the_timeline_of_a_session_begun_anew_has_nothing_of_the_one_before(
    microphone: Path, tmp_path: Path
) -> None:
    async with chromium(microphone) as browser:
        page = await browser.new_page()
        async with served(tmp_path) as url:
            await page.goto(url)
            await choose(page, "microphone")
            legend = await decided(page)
            await page.get_by_role("button", name="Start").click()
            while await decided(page) < legend + 100:
                pass
        async with served(tmp_path, at=tmp_path / "ready.json"):
            while await decided(page) > legend + 20:
                pass
            state = page.locator("#try-state-text")
            await expect(state).not_to_contain_text("trying again")
            await page.get_by_role("button", name="Stop").click()
            await expect(state).to_contain_text("Finished")


async def test_a_server_that_goes_away_ends_the_demonstration(
    predictor: Predictor, microphone: Path
) -> None:
    async with chromium(microphone) as browser:
        page = await browser.new_page()
        async with running_server(predictor=predictor) as server:
            await page.goto(server.http_url)
            await choose(page, "microphone")
            await page.get_by_role("button", name="Start").click()
            await expect(verdicts(page, "held")).to_have_count(1)
        await expect(page.locator("#try-state-text")).to_contain_text("The server")
        await expect(page.get_by_role("button", name="Start")).to_be_visible()


async def test_a_threshold_takes_effect_while_the_session_runs(
    predictor: Predictor, browser: Browser
) -> None:
    async with (
        running_server(predictor=predictor) as server,
        open_page(browser, server.http_url) as page,
    ):
        await choose(page, "question")
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator("#try-state-text")).to_have_text("The agent is speaking")
        await page.locator("#try-threshold").fill("0.05")  # below what a short sound gets
        await expect(verdicts(page, "interruption")).to_have_count(1)
        await expect(verdicts(page, "held")).to_have_count(0)


@pytest.mark.parametrize("source", ["question", "microphone"])
async def test_a_browser_whose_audio_does_not_start_says_so(
    predictor: Predictor, browser: Browser, source: str
) -> None:
    """Firefox without a loudspeaker: it neither resumes nor refuses."""
    async with (
        running_server(predictor=predictor) as server,
        open_page(browser, server.http_url) as page,
    ):
        await choose(page, source)
        await page.clock.install()
        never = "() => { AudioContext.prototype.resume = () => new Promise(() => {}); }"
        await page.evaluate(never)
        await page.get_by_role("button", name="Start").click()
        state = page.locator("#try-state-text")
        await expect(state).to_have_text(re.compile("Loading|Waiting"))
        await page.clock.fast_forward(5000)
        await expect(state).to_contain_text("it found no loudspeaker")
        await expect(page.get_by_role("button", name="Start")).to_be_enabled()
