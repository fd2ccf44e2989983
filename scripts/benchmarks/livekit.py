"""How long LiveKit agents wait for the answers to their windows, and whether all of them come."""

import asyncio
import contextlib
import itertools
from collections import defaultdict
from collections.abc import Iterator
from time import perf_counter_ns

import aiohttp
import numpy as np
import orjson
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.figures import COLUMNS, Distribution, Section, Setup, Tell
from benchmarks.servers import BARGEIN, Served, serving
from benchmarks.speech import BEFORE_MS, RATE, Samples, load_utterances

CREATE = orjson.dumps(
    {
        "type": "session.create",
        "settings": {
            "sample_rate": RATE,
            "num_channels": 1,
            "min_frames": 2,
            "encoding": "s16le",
        },
    }
).decode()
HOP_S, PRE_ROLL_S, OVERLAP_S, CYCLE_S, FULL_S = 0.1, 1.0, 1.0, 5.0, 3.0
GIVE_UP_MS = 700
"""A LiveKit client stops asking when it has waited for so long."""
LAST_ANSWERS_S = 2.0
ROOM_TONE = 20.0
SOURCES = "bargein_livekit_windows_total"


class Tally:
    """What all clients of one load notice."""

    def __init__(self) -> None:
        self.sent = 0
        self.waits_ms: list[float] = []
        self.kinds: defaultdict[str, int] = defaultdict(int)


async def measure(setup: Setup, tell: Tell) -> Section:
    """`setup.sessions` clients, first as agents talk, then in one overlap without end."""
    utterances = load_utterances(setup.samples)
    loads = {
        "a fifth of the time in overlap": [_overlap(clip) for clip in utterances],
        "all the time, windows of 3 s": [_slide(utterances)],
    }
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    figures: dict[str, object] = {}
    for part, (name, scripts) in enumerate(loads.items()):
        tell(part / len(loads), name)
        async with serving(BARGEIN, setup.server_core) as server:
            tally, cpu = await _load(server, setup, scripts)
            sources = await _sources(server)
        waits = Distribution.of(tally.waits_ms)
        late = sum(wait > GIVE_UP_MS for wait in tally.waits_ms)
        missing = tally.sent - len(tally.waits_ms)
        rows.append((name, *waits.cells(), f"{missing}", f"{late}"))
        answered = ", ".join(f"{count:,.0f} by {source}" for source, count in sources.items())
        notes.append(f"{name}: {cpu:.0%} of a core; {answered}")
        figures[name] = {
            "wait_ms": waits,
            "unanswered": missing,
            "over_700_ms": late,
            "answers": dict(tally.kinds),
            "sources": sources,
            "server_cores": round(cpu, 3),
        }
    return Section(
        title=f"LiveKit: window to answer, ms: {setup.sessions} clients in real time",
        columns=("", *COLUMNS, "unanswered", "> 700"),
        rows=tuple(rows),
        notes=tuple(notes),
        figures=figures,
    )


# ---------------------------------------------------------------- what clients send


def _overlap(clip: Samples) -> list[bytes]:
    """The windows of one overlap: the pre-roll, and 100 ms more of the sound in each."""
    before = round(PRE_ROLL_S * RATE) - RATE * BEFORE_MS // 1000
    pcm = np.concatenate([_room(before), clip]).astype(np.int16)
    hop, first = round(HOP_S * RATE), round((PRE_ROLL_S + HOP_S) * RATE)
    return [pcm[:end].tobytes() for end in range(first + hop // 2, len(pcm) + 1, hop)]


def _slide(utterances: list[Samples]) -> list[bytes]:
    """Full windows over speech that does not end, each 100 ms after the last."""
    pcm = np.concatenate([*utterances, *utterances])
    hop, full = round(HOP_S * RATE), round(FULL_S * RATE)
    return [pcm[end - full : end].tobytes() for end in range(full, len(pcm) + 1, hop)]


def _room(samples: int) -> Samples:
    return np.random.default_rng(1).normal(0, ROOM_TONE, samples).astype(np.int16)


# ---------------------------------------------------------------- the clients


async def _load(server: Served, setup: Setup, scripts: list[list[bytes]]) -> tuple[Tally, float]:
    tally = Tally()
    cpu_s = server.cpu_s()
    pause_s = CYCLE_S - OVERLAP_S if len(scripts) > 1 else 0.0
    async with asyncio.TaskGroup() as clients:
        for number in range(setup.sessions):
            offset_s = number / setup.sessions * max(HOP_S, pause_s)
            turns = itertools.islice(itertools.cycle(scripts), number % len(scripts), None)
            clients.create_task(
                _client(server.port, turns, offset_s, pause_s, setup.seconds, tally)
            )
    return tally, (server.cpu_s() - cpu_s) / setup.seconds


async def _client(
    port: int,
    turns: Iterator[list[bytes]],
    offset_s: float,
    pause_s: float,
    seconds: float,
    tally: Tally,
) -> None:
    async with connect(f"ws://127.0.0.1:{port}/v1/bargein", compression=None) as socket:
        await socket.send(CREATE)
        await socket.recv()
        hearing = asyncio.create_task(_hear(socket, tally))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.sleep(offset_s)
                await _speak(socket, turns, pause_s, tally)
        await asyncio.wait([hearing], timeout=LAST_ANSWERS_S)
        hearing.cancel()


async def _speak(
    socket: ClientConnection, turns: Iterator[list[bytes]], pause_s: float, tally: Tally
) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    for windows in turns:
        for pcm in windows:
            tally.sent += 1
            await socket.send(perf_counter_ns().to_bytes(8, "little") + pcm)
            due += HOP_S
            await asyncio.sleep(due - loop.time())
        due += pause_s
        await asyncio.sleep(due - loop.time())


async def _hear(socket: ClientConnection, tally: Tally) -> None:
    async for message in socket:
        answer = orjson.loads(message)
        tally.kinds[answer["type"]] += 1
        tally.waits_ms.append((perf_counter_ns() - answer["created_at"]) / 1e6)


async def _sources(server: Served) -> dict[str, float]:
    """How many windows were answered by what."""
    url = f"http://127.0.0.1:{server.http_port}/metrics"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        families = text_string_to_metric_families(await response.text())
    samples = [sample for family in families for sample in family.samples]
    return {s.labels["source"]: s.value for s in samples if s.name == SOURCES}
