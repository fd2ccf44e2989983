"""Memory per session."""

import asyncio
from itertools import pairwise
from statistics import median

from benchmarks.clients import Crowd
from benchmarks.figures import Section, Setup, Tell
from benchmarks.servers import BARE, BARGEIN, serving
from benchmarks.speech import Script, compose, load_utterances

IDLE = (500, 800, 1100, 1400, 1700, 2000)
STREAMING = (30, 50, 70, 90, 110, 130)
"""What one more costs is the median over these steps: the first sessions take what the start left
free, and now and then the C library hands a heap back."""
STREAM_S = 8.0
"""More than one turn of the agent, so that every buffer has been in use."""


async def measure(setup: Setup, tell: Tell) -> Section:
    """Compare the server's own memory with few and with many sessions."""
    script = compose(load_utterances(setup.samples))
    tell(0.0, "bare connections")
    bare = await _per_session(BARE, setup, script, streaming=False)
    tell(0.1, "idle sessions")
    idle = await _per_session(BARGEIN, setup, script, streaming=False)
    tell(0.2, "streaming sessions")
    streaming = await _per_session(BARGEIN, setup, script, streaming=True)
    return Section(
        title="Memory per session in KB (unique set size)",
        columns=("session", "KB"),
        rows=(
            ("idle", f"{idle:.1f}"),
            ("streaming", f"{streaming:.1f}"),
            ("a connection to the bare server", f"{bare:.1f}"),
        ),
        notes=(
            f"idle: from {IDLE[0]} to {IDLE[-1]} sessions",
            f"streaming: from {STREAMING[0]} to {STREAMING[-1]} sessions",
        ),
        figures={
            "idle_kb": round(idle, 1),
            "streaming_kb": round(streaming, 1),
            "bare_kb": round(bare, 1),
        },
    )


async def _per_session(
    command: tuple[str, ...], setup: Setup, script: Script, *, streaming: bool
) -> float:
    sizes = STREAMING if streaming else IDLE
    used_kb: list[float] = []
    async with serving(command, setup.server_core) as server:
        crowd = Crowd(server.port, script, talks=command is BARGEIN)
        try:
            for size in sizes:
                await crowd.grow(size, streaming=streaming)
                await asyncio.sleep(STREAM_S if streaming else 1.0)
                used_kb.append(server.memory_kb())
        finally:
            crowd.leave()
    steps = zip(pairwise(sizes), pairwise(used_kb), strict=True)
    return median((more_kb - kb) / (more - few) for (few, more), (kb, more_kb) in steps)
