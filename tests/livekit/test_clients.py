"""LiveKit's unmodified clients and a real server: what their users get."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import soundfile
from bargein_server.livekit import answering
from support.livekit_clients import (
    API_KEY,
    API_SECRET,
    NEWEST,
    PYTHON,
    Running,
    running,
)
from support.server import RunningServer, running_server
from support.sounds import silence

KEYS = {API_KEY: API_SECRET}
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)
PRE_ROLL_FRAMES = 40
PATIENCE_S = 5.0
"""Many clients share the machine of a test; how long answers take is for the benchmarks to say."""
OLDEST = PYTHON[0]
"""It posts each window, with its options."""
QUESTION = "That is not what I asked."

Scenario = dict[str, Any]


class Sounds:
    """What users say, as files for the clients."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        fixtures = ROOT / "tests" / "model" / "fixtures"
        items = {item["name"]: item for item in json.loads((fixtures / "items.json").read_text())}
        self.interruption = _read(fixtures / "mixed-long-001.flac")
        self.interruption_ms = items["mixed-long-001"]["onset"] // 16
        self.backchannel = _read(ROOT / "scripts" / "samples" / "backchannel.bargein" / "user.wav")
        self.backchannel_ms = 1900

    def file(self, name: str, pcm: bytes) -> str:
        path = self._folder / f"{name}.pcm"
        path.write_bytes(pcm)
        return str(path)

    def interrupting(self, name: str, *steps: list[Any], wait_ms: int = 0, **more: Any) -> Scenario:
        """A scenario in which the user interrupts; `steps` count from the onset."""
        pcm, onset = silence(wait_ms / 1000) + self.interruption, wait_ms + self.interruption_ms
        end = len(pcm) // 32 - 100
        script = [
            [0, "agent_started"],
            [onset + 100, "overlap_started", 100],
            [end, "overlap_ended"],
        ]
        script += [[onset + step[0], *step[1:]] for step in steps]
        return {"name": name, "pcm": self.file(name, pcm), "script": script, **more}

    def acknowledging(self, name: str) -> Scenario:
        """A scenario in which the user says "mm-hmm"."""
        onset = self.backchannel_ms
        script = [
            [0, "agent_started"],
            [onset + 100, "overlap_started", 100],
            [onset + 950, "pause", 1500],  # time for the answer to the last window
            [onset + 1000, "overlap_ended"],
        ]
        return {"name": name, "pcm": self.file(name, self.backchannel), "script": script}

    def both(self, name: str) -> Scenario:
        """First "mm-hmm", then an interruption, in one turn of the agent."""
        first = self.acknowledging(name)
        pcm = self.backchannel + self.interruption
        onset = len(self.backchannel) // 32 + self.interruption_ms
        more = [[onset + 100, "overlap_started", 100], [len(pcm) // 32 - 100, "overlap_ended"]]
        return {"name": name, "pcm": self.file(name, pcm), "script": first["script"] + more}


def _read(path: Path) -> bytes:
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 16000
    return bytes(samples.astype("<i2").tobytes())


DETECTORS = [
    *((version, "HTTP port") for version in PYTHON),
    ("js", "HTTP port"),
    (NEWEST, "main port"),
    ("js", "main port"),
]

AGENTS = [(v, manner) for v in (PYTHON[1], NEWEST) for manner in ("interruption", "backchannel")]
"""The oldest has no VAD of its own for an agent to use."""


class Played(NamedTuple):
    """What came of all that the clients did at the same time."""

    detectors: dict[tuple[str, str], Running]
    counters: dict[tuple[str, str], str]
    """The server's metrics afterwards."""
    agents: dict[tuple[str, str], Running]


@pytest.fixture
def sounds(tmp_path: Path) -> Sounds:
    return Sounds(tmp_path)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """All detectors and agents, side by side: they speak in real time."""
    sounds = Sounds(tmp_path_factory.mktemp("sounds"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answering, "ANSWER_WITHIN_S", PATIENCE_S)
        return asyncio.run(_play_all(sounds))


async def _play_all(sounds: Sounds) -> Played:
    detecting = {
        "scenarios": [
            sounds.interrupting("interruption"),
            sounds.acknowledging("backchannel"),
            sounds.interrupting("options", [700, "threshold", 0.3], threshold=0.9999),
            sounds.both("both"),
        ]
    }
    played = Played({}, {}, {})
    async with contextlib.AsyncExitStack() as stack:
        clients: list[tuple[Running, dict[str, Any]]] = []
        servers: dict[tuple[str, str], RunningServer] = {}
        for client, port in DETECTORS:
            server = await stack.enter_async_context(running_server(keys=KEYS))
            base = server.http_url if port == "HTTP port" else server.url
            told = await stack.enter_async_context(running(client, "detector", f"{base}/v1"))
            clients.append((told, detecting))
            played.detectors[client, port], servers[client, port] = told, server
        for client, manner in AGENTS:
            server = await stack.enter_async_context(running_server(keys=KEYS))
            told = await stack.enter_async_context(running(client, "agent", server.http_url))
            clients.append((told, _conversation(sounds, interrupts=manner == "interruption")))
            played.agents[client, manner] = told
        for told, _ in clients:
            await told.until("ready")
        for told, script in clients:
            told.begin(script)
        await asyncio.gather(*(told.finish() for told, _ in clients))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        for key, server in servers.items():
            played.counters[key] = await (await http.get(f"{server.http_url}/metrics")).text()
    return played


def _conversation(sounds: Sounds, *, interrupts: bool) -> dict[str, Any]:
    onset_ms = sounds.interruption_ms if interrupts else sounds.backchannel_ms
    return {
        "pcm": sounds.file("talk", sounds.interruption)
        if interrupts
        else sounds.file("hum", sounds.backchannel),
        "words": QUESTION if interrupts else "mm-hmm",
        "words_at_ms": onset_ms + 1200,
        "agent_s": 6.0,
        "then_s": 1.0,
    }


@pytest.mark.parametrize(("client", "port"), DETECTORS)
def test_a_detector_stream_tells_interruptions_from_backchannels(
    client: str, port: str, played: Played
) -> None:
    told = played.detectors[client, port]
    assert [r for r in told.reports if "error" in r or "failed" in r] == []
    assert len([r for r in told.reports if "done" in r]) == 4

    (interruption,) = told.events("interruption")
    assert interruption["interruption"]
    assert 0 < interruption["leading_zeros"] <= PRE_ROLL_FRAMES + 4

    (backchannel,) = told.events("backchannel")
    assert not backchannel["interruption"]
    assert backchannel["frames"] > PRE_ROLL_FRAMES
    assert abs(backchannel["leading_zeros"] - PRE_ROLL_FRAMES) <= 4
    assert 0 < backchannel["probability"] < 1

    (options,) = told.events("options")
    assert options["interruption"], "the new threshold counts in the overlap that is open"

    assert [event["interruption"] for event in told.events("both")] == [False, True]


@pytest.mark.parametrize(("client", "port"), [c for c in DETECTORS if c[0] != OLDEST])
def test_options_change_by_a_new_session(client: str, port: str, played: Played) -> None:
    counted = played.counters[client, port]
    assert "bargein_livekit_sessions_started_total 5.0" in counted
    assert "bargein_livekit_sessions 0.0" in counted


@pytest.mark.parametrize(("client", "manner"), AGENTS)
def test_a_whole_agent_stops_for_an_interruption_and_talks_on_over_a_backchannel(
    client: str, manner: str, played: Played
) -> None:
    interrupts = manner == "interruption"
    reports = played.agents[client, manner].reports
    (done,) = (r for r in reports if "done" in r)
    first = next(r for r in reports if "said" in r)
    assert [r["overlap"] for r in reports if "overlap" in r] == [interrupts]
    assert first["by"] == "assistant"
    assert done["interrupted"] == first["cut"] == interrupts
    heard = [r["user"] for r in reports if "user" in r]
    assert heard == ([QUESTION] if interrupts else []), "an mm-hmm is no turn of the user"


# ------------------------------------------------------------------ servers that go


@contextlib.asynccontextmanager
async def serving(
    tmp_path: Path, name: str, port: int = 0, http_port: int = 0
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """A server process, and where it listens."""
    ready = tmp_path / f"{name}.json"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bargein_client", "serve", "--key", f"{API_KEY}:{API_SECRET}",
        "--port", str(port), "--http-port", str(http_port), "--ready-file", str(ready),
        stdout=pipe, stderr=pipe,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert b"listening" in await process.stdout.readline()
        yield process, json.loads(ready.read_bytes())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def logged(process: asyncio.subprocess.Process, text: str) -> None:
    """Wait for a line of the server's log."""
    assert process.stderr is not None
    async for line in process.stderr:
        if text in line.decode():
            return
    raise EOFError(f"the server never logged {text!r}")


def verdicts(told: Running, scenario: str) -> list[bool]:
    return [event["interruption"] for event in told.events(scenario)]


@pytest.mark.parametrize("client", [NEWEST, "js"])
async def test_when_the_server_is_killed_the_client_knows_at_once(
    client: str, sounds: Sounds, tmp_path: Path
) -> None:
    scenario = sounds.interrupting("killed", threshold=0.9999)
    async with serving(tmp_path, "server") as (process, ready):
        url = f"http://127.0.0.1:{ready['http_port']}"
        async with running(client, "detector", url) as told:
            await told.until("ready")
            told.begin({"scenarios": [scenario]})
            await logged(process, "adaptive interruption is on")
            process.kill()
            await told.finish()
    assert [r for r in told.reports if "error" in r or "failed" in r]
    assert True not in verdicts(told, "killed")


@pytest.mark.parametrize(("client", "port"), [(NEWEST, "http_port"), ("js", "port")])
async def test_a_rolling_restart_behind_one_port_loses_no_verdict(
    client: str, port: str, sounds: Sounds, tmp_path: Path
) -> None:
    early = sounds.interrupting("early", wait_ms=6000)
    late = sounds.interrupting("late")
    async with contextlib.AsyncExitStack() as stack:
        old, where = await stack.enter_async_context(serving(tmp_path, "old"))
        url = f"http://127.0.0.1:{where[port]}"
        first, second = [
            await stack.enter_async_context(running(client, "detector", url)) for _ in range(2)
        ]
        await first.until("ready")
        await second.until("ready")
        first.begin({"scenarios": [early]})
        await logged(old, "opened")
        new, _ = await stack.enter_async_context(
            serving(tmp_path, "new", where["port"], where["http_port"])
        )
        old.send_signal(signal.SIGTERM)
        await logged(old, "draining: 1")
        second.begin({"scenarios": [late]})
        await logged(new, "opened")
        await asyncio.gather(first.finish(), second.finish())
        assert verdicts(first, "early") == [True]
        assert verdicts(second, "late") == [True]
        await old.communicate()
        assert old.returncode == 0
        new.send_signal(signal.SIGTERM)
        await new.communicate()
        assert new.returncode == 0
