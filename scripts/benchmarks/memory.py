"""Memory per session."""

import asyncio

from benchmarks.clients import Crowd
from benchmarks.figures import Section, Setup, Tell
from benchmarks.servers import BARGEIN, serving
from benchmarks.speech import Script, compose, load_utterances

IDLE, STREAMING = 500, 100
STREAM_S = 12.0
"""More than two turns of the agent each, so that every buffer has been in use."""


async def measure(setup: Setup, tell: Tell) -> Section:
    """Compare the server's own memory before and with many sessions."""
    script = compose(load_utterances(setup.samples))
    tell(0.0, "idle sessions")
    idle = await _per_session(setup, script, IDLE, 1.0, streaming=False)
    tell(0.2, "streaming sessions")
    streaming = await _per_session(setup, script, STREAMING, STREAM_S, streaming=True)
    return Section(
        title="Memory per session (unique set size)",
        columns=("session", "KB"),
        rows=(("idle", f"{idle:.1f}"), ("streaming", f"{streaming:.1f}")),
        notes=(f"{IDLE} idle sessions, {STREAMING} streaming ones for {STREAM_S:g} s",),
        figures={"idle_kb": round(idle, 1), "streaming_kb": round(streaming, 1)},
    )


async def _per_session(
    setup: Setup, script: Script, count: int, seconds: float, *, streaming: bool
) -> float:
    async with serving(BARGEIN, setup.server_core) as server:
        crowd = Crowd(server.port, script, talks=True)
        try:
            await crowd.grow(1, streaming=streaming)  # what the first of its kind loads
            await asyncio.sleep(seconds)
            before = server.memory_kb()
            await crowd.grow(1 + count, streaming=streaming)
            await asyncio.sleep(seconds)
            return (server.memory_kb() - before) / count
        finally:
            crowd.leave()
