"""Memory per session."""

import asyncio

from benchmarks.clients import Crowd
from benchmarks.figures import Section, Setup, Tell
from benchmarks.servers import BARE, BARGEIN, serving
from benchmarks.speech import Script, compose, load_utterances

IDLE = (500, 2000)
STREAMING = (30, 130)
"""Few and many sessions: what the first ones make grow, or take from what the start left free,
is not counted."""
STREAM_S = 11.0
"""Two turns of the agent and more, so that every buffer has been in use."""


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
            f"idle: from {IDLE[0]} to {IDLE[1]} sessions",
            f"streaming: from {STREAMING[0]} to {STREAMING[1]} sessions, {STREAM_S:g} s each",
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
    few, many = STREAMING if streaming else IDLE
    seconds = STREAM_S if streaming else 1.0
    async with serving(command, setup.server_core) as server:
        crowd = Crowd(server.port, script, talks=command is BARGEIN)
        try:
            await crowd.grow(few, streaming=streaming)
            await asyncio.sleep(seconds)
            before = server.memory_kb()
            await crowd.grow(many, streaming=streaming)
            await asyncio.sleep(seconds)
            return (server.memory_kb() - before) / (many - few)
        finally:
            crowd.leave()
