"""A recording on the page: its timeline, and what another threshold would have decided."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from bargein_protocol.messages import Interruption, NonInterruption, ServerMessage
from bargein_server.detection.evidence import Evidence
from bargein_server.detection.inputs import Prediction
from bargein_server.models.predictor import Predictor
from bargein_server.pages.routes import STATIC
from bargein_server.recording.reader import Entry, Recording, read_recording
from msgspec import convert
from msgspec.json import decode
from support.chromium import Browser, Page, expect, open_page
from support.server import running_server

SAMPLES = Path(__file__).parents[2] / "scripts" / "samples"
NAMES = sorted(path.name for path in SAMPLES.glob("*.bargein"))
THRESHOLDS = [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98]

SCRIPT = """
import { readFile } from "node:fs/promises";

const [folder, pages, ...thresholds] = process.argv.slice(2);
const { Recording } = await import(`${pages}/recording.js`);
const { rejudge } = await import(`${pages}/rejudge.js`);
const read = async (file) => {
  const data = await readFile(`${folder}/${file}`).catch(() => null);
  return data && data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
};
const recording = await Recording.open("sample", read);
const at = (threshold) => recording.judged.map(
  ({ verdict, evidence }) => [verdict.overlap_id, rejudge(verdict, evidence, threshold)]);
console.log(JSON.stringify([recording.threshold, ...thresholds.map(Number)].map(at)));
"""


def judged_by_the_page(folder: Path, tmp_path: Path) -> list[dict[int, dict[str, Any]]]:
    """By threshold, the recorded one first: the outcome for each overlap."""
    script = tmp_path / "judge.mjs"
    script.write_text(SCRIPT)
    node = shutil.which("node")
    assert node is not None
    command = [node, str(script), str(folder), str(STATIC), *map(str, THRESHOLDS)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [dict(outcomes) for outcomes in json.loads(output)]


def verdicts_of(recording: Recording) -> list[Interruption | NonInterruption]:
    said = [decode(event, type=dict[str, Any]) for event in recording.events]
    kinds = {"interruption", "non_interruption"}
    messages = [convert(event, ServerMessage) for event in said if event["type"] in kinds]
    return [verdict for verdict in messages if isinstance(verdict, Interruption | NonInterruption)]


def proven_at(
    recording: Recording, verdict: Interruption | NonInterruption, threshold: float
) -> float | None:
    """By the detector's own evidence: when the recorded predictions prove an interruption."""
    min_frames = recording.header.options.min_frames
    evidence = Evidence(round(verdict.onset_ms * 16), min_frames)
    for entry in recording.entries():
        match entry:
            case Entry(content=Prediction(overlap_id=verdict.overlap_id) as heard):
                evidence.add(heard.frames, heard.end)
                if evidence.best is not None and evidence.best >= threshold:
                    return heard.end / 16
            case _:
                pass
    return None


@pytest.mark.parametrize("name", NAMES)
def test_the_threshold_as_recorded_gives_the_verdicts_as_recorded(
    name: str, tmp_path: Path
) -> None:
    recording = read_recording(SAMPLES / name)
    as_recorded, *_ = judged_by_the_page(SAMPLES / name, tmp_path)
    verdicts = verdicts_of(recording)
    assert verdicts
    for verdict in verdicts:
        outcome = as_recorded[verdict.overlap_id]
        if isinstance(verdict, Interruption):
            assert outcome == {
                "type": "interruption",
                "atMs": verdict.at_ms,
                "source": verdict.source,
            }
        else:
            assert outcome == {"type": "non_interruption", "reason": verdict.reason}


@pytest.mark.parametrize("name", NAMES)
def test_other_thresholds_are_judged_as_the_detector_does(name: str, tmp_path: Path) -> None:
    recording = read_recording(SAMPLES / name)
    _, *by_threshold = judged_by_the_page(SAMPLES / name, tmp_path)
    for verdict in verdicts_of(recording):
        if verdict.source == "vad":
            continue  # decided without the model
        for threshold, outcomes in zip(THRESHOLDS, by_threshold, strict=True):
            outcome = outcomes[verdict.overlap_id]
            proven = proven_at(recording, verdict, threshold)
            if proven is not None:
                assert outcome == {"type": "interruption", "atMs": proven, "source": "model"}
            elif isinstance(verdict, NonInterruption):
                assert outcome == {"type": "non_interruption", "reason": verdict.reason}
            else:
                assert outcome == {"type": "open"}


async def set_threshold(page: Page, threshold: float) -> None:
    await page.locator("#recording-threshold").fill(str(threshold))


@pytest.mark.asyncio(loop_scope="module")
async def test_the_slider_shows_which_verdicts_would_change(
    predictor: Predictor, browser: Browser, tmp_path: Path
) -> None:
    for name in ("interruption.bargein", "backchannel.bargein"):
        shutil.copytree(SAMPLES / name, tmp_path / name)
    async with (
        running_server(predictor=predictor, record=tmp_path) as server,
        open_page(browser, f"{server.http_url}/#recordings") as page,
    ):
        outcome, rows = page.locator("#recording-outcome"), page.locator("#recording-rows tr")
        await page.locator("#recordings-list button", has_text="interruption").click()
        await expect(page.locator("#recording")).to_be_visible()
        await expect(outcome).to_have_text("As recorded: 1 verdict.")
        await expect(rows).to_contain_text("Interruption")
        await set_threshold(page, 0.98)
        await expect(outcome).to_have_text("1 of 1 verdict would change.")
        await expect(page.locator("#recording-rows tr[data-changed]")).to_contain_text(
            "No verdict yet"
        )
        await page.get_by_role("button", name="As recorded").click()
        await expect(outcome).to_have_text("As recorded: 1 verdict.")

        await page.locator("#recordings-list button", has_text="backchannel").click()
        await expect(rows).to_contain_text("Backchannel")
        await set_threshold(page, 0.02)
        await expect(outcome).to_have_text("1 of 1 verdict would change.")
        await expect(rows.locator("td").last).to_contain_text("Interruption")

        play = page.locator("#recording-play")
        await play.click()
        await expect(play).to_have_text("Pause")
        await expect(page.locator("#recording-time")).not_to_have_text("0:00.0")
        await play.click()
        await expect(play).to_have_text("Play")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_folder_from_this_computer_is_opened_without_the_server(
    predictor: Predictor, browser: Browser, tmp_path: Path
) -> None:
    async with (
        running_server(predictor=predictor) as server,
        open_page(browser, f"{server.http_url}/#recordings") as page,
    ):
        await expect(page.locator("#recordings-empty")).to_contain_text("--record")
        await page.locator("#pick-folder").set_input_files(SAMPLES / "yeah-but.bargein")
        await expect(page.locator("#recording-outcome")).to_contain_text("As recorded: 1 verdict.")
        other = tmp_path / "notes.json"
        other.write_text("{}")
        await page.locator("#pick-files").set_input_files(other)
        await expect(page.get_by_role("alert")).to_contain_text("no recording")
