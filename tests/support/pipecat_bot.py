"""A bot of Pipecat's, in a process of its own."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".tools" / "pipecat" / "bin" / "python"
"""Made by scripts/setup-pipecat."""
SAMPLES = ROOT / "scripts" / "samples"
INTERRUPTION = SAMPLES / "interruption.bargein" / "user.wav"
BACKCHANNEL = SAMPLES / "backchannel.bargein" / "user.wav"

PATIENCE_S = 100.0
"""Conversations last twenty seconds; on a busy machine bots say things later."""

Line = dict[str, Any]


class Bot:
    """The process of `clients/bot.py`: says what it is told, and tells what happens."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._told: list[Line] = []

    def tell(self, do: str, **fields: object) -> None:
        """Give it a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **fields}).encode() + b"\n")

    def play(self, file: Path, words: str, words_at_ms: int) -> None:
        """Let the user speak; the recogniser hears `words` then."""
        self.tell("play", file=str(file), words=words, words_at_ms=words_at_ms)

    async def until(self, what: str, **fields: object) -> None:
        """Read on until this is told; it fails with what was told instead."""
        wanted = {"what": what, **fields}
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._read_until(wanted)
        except TimeoutError as error:
            message = f"the bot did not tell {wanted}; it told {self._told}"
            raise AssertionError(message) from error

    async def _read_until(self, wanted: Line) -> None:
        assert self._process.stdout is not None
        line: Line = {}
        while not wanted.items() <= line.items():
            raw = await self._process.stdout.readline()
            assert raw, f"the bot ended; it told {self._told}"
            line = json.loads(raw)
            self._told.append(line)

    async def end(self) -> list[Line]:
        """Let it end by itself; returns all that it told."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self.until("over")
        assert await self._process.wait() == 0
        return self._told


@contextlib.asynccontextmanager
async def running_bot(url: str, begin: asyncio.Barrier) -> AsyncGenerator[Bot]:
    """A bot that goes by the server at `url`; it waits for the others that are to `begin` with it.

    Starting one is hard work for the processor, and the others are to speak in real time.
    """
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        ROOT / "tests" / "pipecat" / "clients" / "bot.py",
        ROOT / "client" / "examples" / "pipecat_bot.py",
        url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        bot = Bot(process)
        await bot.until("ready")
        await begin.wait()
        yield bot
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
