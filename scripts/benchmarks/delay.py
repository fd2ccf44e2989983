"""How long after the last sample that it needed an event is written, and arrives."""

import asyncio
from collections.abc import Mapping
from itertools import pairwise

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.clients import Client, Crowd
from benchmarks.figures import COLUMNS, Distribution, Section, Setup, Tell
from benchmarks.servers import BARGEIN, Served, serving
from benchmarks.speech import compose, load_utterances

WARM_UP_S = 2.0
LONGEST_OVERLAP_S = 4.0
"""An overlap that has no verdict after this has none."""
SERVER_DELAY = "bargein_server_delay_seconds"
COUNTED = (
    *("agent turns", "agent turns without an overlap", "overlap.started"),
    *("interruption", "non_interruption", "warning", "error", "connections lost"),
)


async def measure(setup: Setup, tell: Tell) -> Section:
    """Stream `setup.sessions` sessions for `setup.seconds`."""
    script = compose(load_utterances(setup.samples))
    async with serving(BARGEIN, setup.server_core) as server:
        crowd = Crowd(server.port, script, talks=True)
        try:
            await crowd.grow(setup.sessions)
            await asyncio.sleep(WARM_UP_S)
            before = await _delay_buckets(server)
            crowd.tally.reset()
            cpu_s = server.cpu_s()
            await _wait(setup.seconds, tell)
            cpu_s = server.cpu_s() - cpu_s
            after = await _delay_buckets(server)
            undecided = await _undecided(crowd.clients, tell)
        finally:
            crowd.leave()
    return _section(setup, crowd, _difference(after, before), cpu_s / setup.seconds, undecided)


async def _wait(seconds: float, tell: Tell) -> None:
    steps = max(1, round(seconds * 2))
    for step in range(steps):
        tell(step / steps, "streaming")
        await asyncio.sleep(seconds / steps)


async def _undecided(clients: list[Client], tell: Tell) -> int:
    tell(1.0, "waiting for the last verdicts")
    opened = [(client, set(client.open_overlaps)) for client in clients]
    await asyncio.sleep(LONGEST_OVERLAP_S)
    return sum(len(overlaps & client.open_overlaps) for client, overlaps in opened)


def _section(
    setup: Setup, crowd: Crowd, buckets: Mapping[float, float], cpu: float, undecided: int
) -> Section:
    tally = crowd.tally
    arrivals = {kind: Distribution.of(values) for kind, values in tally.delays_ms.items()}
    lateness = Distribution.of(tally.lateness_ms)
    counts = {name: tally.counts[name] for name in COUNTED} | {"without a verdict": undecided}
    written = {f"p{share:g}": _quantile(buckets, share / 100) for share in (50, 90, 99, 100)}
    rows = [
        ("verdict written, ms *", f"{sum(buckets.values()):,.0f}", *map(_upper, written.values())),
        *((f"{kind} arrived, ms", *arrivals[kind].cells()) for kind in sorted(arrivals)),
        ("a pong arrived, ms", *Distribution.of(tally.round_trips_ms).cells()),
        ("a client was late, ms", *lateness.cells()),
    ]
    return Section(
        title=f"Delay since the last sample needed: {setup.sessions} sessions in real time",
        columns=("", *COLUMNS),
        rows=tuple(rows),
        notes=(
            "* as the server measures it, in buckets: the value lies below the one shown",
            f"the server used {cpu:.0%} of a core",
            ", ".join(f"{name}: {count:,}" for name, count in counts.items()),
        ),
        figures={
            "written_ms_at_most": written,
            "arrived_ms": arrivals,
            "client_late_ms": lateness,
            "counts": counts,
            "server_cores": round(cpu, 3),
        },
    )


def _upper(value: float | None) -> str:
    return "–" if value is None else f"≤ {value:g}"


async def _delay_buckets(server: Served) -> dict[float, float]:
    """Upper bound in ms → how many verdicts were written within it, cumulative."""
    url = f"http://127.0.0.1:{server.http_port}/metrics"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        families = text_string_to_metric_families(await response.text())
    return {
        float(sample.labels["le"]) * 1000: sample.value
        for family in families
        for sample in family.samples
        if sample.name == f"{SERVER_DELAY}_bucket"
    }


def _difference(after: Mapping[float, float], before: Mapping[float, float]) -> dict[float, float]:
    """Upper bound in ms → how many lie between it and the bound below, in between two readings."""
    grown = {bound: after[bound] - before.get(bound, 0) for bound in sorted(after)}
    return {bound: grown[bound] - grown.get(below, 0) for below, bound in pairwise([-1.0, *grown])}


def _quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """The bound of the bucket in which that share is reached."""
    seen, wanted = 0.0, share * sum(buckets.values())
    for bound, count in buckets.items():
        seen += count
        if count and seen >= wanted:
            return bound
    return None
