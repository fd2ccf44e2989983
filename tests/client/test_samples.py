"""The shipped samples come to the verdicts they are meant to show, in process and live."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from bargein_client.credentials import Keys
from bargein_client.replaying.compare import verdicts
from bargein_client.replaying.remote import play_remote
from bargein_client.replaying.run import AS_FAST_AS_POSSIBLE, Plan, differences, replay_one
from bargein_client.replaying.timeline import headline, timeline
from bargein_protocol.messages import ServerMessage
from bargein_server.recording.replay import InProcess
from support.server import running_server

SAMPLES = Path(__file__).parents[2] / "scripts" / "samples"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((SAMPLES / "samples.toml").read_text("utf-8"))
MAX_BYTES = 300_000

each = pytest.mark.parametrize("name", EXPECTED)


def sample(name: str) -> InProcess:
    return InProcess(SAMPLES / f"{name}.bargein")


def headlines(messages: list[ServerMessage]) -> list[str]:
    return [headline(verdict) for verdict in verdicts(messages)]


def expected(name: str) -> list[str]:
    return [EXPECTED[name]["verdict"].replace("_", " ")]


@each
def test_it_replays_to_the_byte(name: str) -> None:
    engine = sample(name)
    heard = replay_one(engine, Plan())
    assert differences(engine, Plan(), heard) == []
    assert headlines([message for _, message in heard]) == expected(name)


@each
def test_the_shipped_model_decides_it_rightly(name: str) -> None:
    heard = replay_one(sample(name), Plan(anew=True))
    assert headlines([message for _, message in heard]) == expected(name)


async def test_a_running_server_decides_all_rightly() -> None:
    async with running_server() as server:
        for name in EXPECTED:
            tape = sample(name).tape
            played = play_remote(tape, server.url, {}, AS_FAST_AS_POSSIBLE, Keys())
            messages = [heard.message async for heard in played]
            assert headlines(messages) == expected(name), name


@each
def test_it_is_small_and_documented(name: str) -> None:
    folder = SAMPLES / f"{name}.bargein"
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MAX_BYTES
    readme = (SAMPLES / "README.md").read_text("utf-8")
    (row,) = (line for line in readme.splitlines() if line.startswith(f"| `{name}` |"))
    assert row.endswith(f"| {expected(name)[0]} |")


@each
def test_its_time_line_is_what_was_composed(name: str) -> None:
    engine = sample(name)
    story = timeline(engine.tape, [message for _, message in replay_one(engine, Plan())])
    entry = EXPECTED[name]
    ((begin_s, end_s),) = story.agent
    assert abs(begin_s - entry["agent_ms"] / 1000) <= 0.02
    assert abs(end_s - entry["agent_stops_ms"] / 1000) <= 0.02
    ((onset_s, _),) = story.overlaps
    assert abs(onset_s - entry["user_ms"] / 1000) <= 0.1
