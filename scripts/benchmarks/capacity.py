"""How many real-time sessions one core holds, next to a server that throws the audio away."""

import asyncio

import msgspec

from benchmarks.clients import Crowd
from benchmarks.figures import Distribution, Section, Setup, Tell
from benchmarks.servers import BARE, BARGEIN, Served, serving
from benchmarks.speech import Script, compose, load_utterances

DELAY_LIMIT_MS = 20.0
"""99 of 100 answers come within this, or the core is over its capacity."""
FIRST, GROWTH = 50, 1.25
SETTLE_S, WATCH_S = 1.5, 4.0
TRIES = 2
"""A neighbour on the machine may disturb one try."""


class Step(msgspec.Struct, frozen=True):
    """What so many sessions came to."""

    sessions: int
    delay_ms: Distribution
    """Of pongs, and of events since the last sample they needed: the worse of the two by p99."""
    client_late_ms: Distribution
    cpu_ms: float
    """Processor time per second of one session."""

    @property
    def holds(self) -> bool:
        """Whether the server kept up; one that says nothing does not."""
        return self.delay_ms.count > 0 and self.delay_ms.p99 <= DELAY_LIMIT_MS

    @property
    def fair(self) -> bool:
        """Whether the clients kept up, without which the step says nothing about the server."""
        return self.client_late_ms.p99 <= DELAY_LIMIT_MS / 2


async def measure(setup: Setup, tell: Tell) -> Section:
    """Let a crowd grow on either server until one answer in a hundred takes over 20 ms."""
    script = compose(load_utterances(setup.samples))
    bare = await _ramp("bare", script, setup, lambda share, what: tell(share / 2, what))
    ours = await _ramp("bargein", script, setup, lambda share, what: tell(0.5 + share / 2, what))
    held = {"bare": _held(bare), "bargein": _held(ours)}
    ratio = held["bargein"].sessions / held["bare"].sessions
    alike = list(zip(bare, ours, strict=False))[-1]  # the most sessions that both were tried with
    cpu_ratio = alike[0].cpu_ms / alike[1].cpu_ms
    return Section(
        title=f"Capacity of one core: sessions with p99 ≤ {DELAY_LIMIT_MS:g} ms",
        columns=("server", "sessions", "p50 ms", "p99 ms", "CPU per session", "core full at"),
        rows=tuple(_row(name, step) for name, step in held.items()),
        notes=(
            f"{ratio:.2f} × the sessions of the bare server",
            f"{cpu_ratio:.2f} × by processor time, with {alike[0].sessions:,} sessions each",
            *(_limit(name, steps, setup) for name, steps in (("bare", bare), ("bargein", ours))),
        ),
        figures={
            "ratio": round(ratio, 3),
            "cpu_ratio": round(cpu_ratio, 3),
            "bare": bare,
            "bargein": ours,
        },
    )


async def _ramp(name: str, script: Script, setup: Setup, tell: Tell) -> list[Step]:
    command = BARE if name == "bare" else BARGEIN
    steps: list[Step] = []
    async with serving(command, setup.server_core) as server:
        crowd = Crowd(server.port, script, talks=name != "bare")
        try:
            size = FIRST
            while size <= setup.most:
                tell(size / setup.most, f"{name}: {size} sessions")
                await crowd.grow(size)
                steps.append(await _try(crowd, server))
                if not (steps[-1].holds and steps[-1].fair):
                    break
                size = round(size * GROWTH)
        finally:
            crowd.leave()
    return steps


async def _try(crowd: Crowd, server: Served) -> Step:
    step = await _watch(crowd, server)
    for _ in range(TRIES - 1):
        if not (step.holds and step.fair):
            step = await _watch(crowd, server)
    return step


async def _watch(crowd: Crowd, server: Served) -> Step:
    await asyncio.sleep(SETTLE_S)
    crowd.tally.reset()
    cpu_s = server.cpu_s()
    await asyncio.sleep(WATCH_S)
    cpu_s = server.cpu_s() - cpu_s
    tally = crowd.tally
    events = [delay for delays in tally.delays_ms.values() for delay in delays]
    delays = (Distribution.of(tally.round_trips_ms), Distribution.of(events))
    return Step(
        sessions=len(crowd.clients),
        delay_ms=max(delays, key=lambda delay: delay.p99),
        client_late_ms=Distribution.of(tally.lateness_ms),
        cpu_ms=round(1000 * cpu_s / WATCH_S / len(crowd.clients), 4),
    )


def _held(steps: list[Step]) -> Step:
    return next((step for step in reversed(steps) if step.holds), steps[0])


def _row(name: str, step: Step) -> tuple[str, ...]:
    delay = step.delay_ms
    full = f"{1000 / step.cpu_ms:,.0f} sessions"
    return (
        *(name, f"{step.sessions:,}", f"{delay.p50:.2f}", f"{delay.p99:.2f}"),
        *(f"{step.cpu_ms:.2f} ms/s", full),
    )


def _limit(name: str, steps: list[Step], setup: Setup) -> str:
    last = steps[-1]
    if not last.holds:
        return f"{name}: {last.sessions:,} sessions were too many, p99 {last.delay_ms.p99:.1f} ms"
    if not last.fair:
        return f"{name}: at {last.sessions:,} the clients could not keep up; it may hold more"
    return f"{name}: it may hold more than the {setup.most:,} that were looked for"
