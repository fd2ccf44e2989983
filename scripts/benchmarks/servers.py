"""The servers under measurement, each a process of its own on one core."""

import asyncio
import contextlib
import os
import resource
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil

BARGEIN = ("-m", "bargein_client", "serve", "--log-level", "warning", "--max-sessions", "100000")
BARE = ("-m", "benchmarks.bare")
READY_TIMEOUT_S, END_TIMEOUT_S = 60.0, 10.0


class Served(msgspec.Struct, frozen=True):
    """A running server."""

    port: int
    http_port: int
    process: psutil.Process
    ready_s: float
    """From its start until it took connections."""

    def cpu_s(self) -> float:
        """Processor time that it has used."""
        times = self.process.cpu_times()
        return times.user + times.system

    def memory_kb(self) -> float:
        """Memory that is its own."""
        return self.process.memory_full_info().uss / 1024


def cores() -> list[int]:
    """The cores that this process may use; empty where that cannot be told."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def raise_file_limit() -> None:
    """Allow as many sockets as the system lets this process and its children have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@asynccontextmanager
async def serving(command: tuple[str, ...], core: int | None) -> AsyncGenerator[Served]:
    """Run a server on a free port of the loopback interface for the duration of the block."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        arguments = [sys.executable, *command, "--port", "0", "--http-port", "0"]
        began = time.perf_counter()
        with _pinned(core):
            process = await create_subprocess_exec(
                *arguments, "--ready-file", str(ready), stdout=DEVNULL
            )
        try:
            where = await _read_when_there(ready, process)
            elapsed = time.perf_counter() - began
            served = psutil.Process(process.pid)
            yield Served(where["port"], where["http_port"], served, elapsed)
        finally:
            await _end(process)


async def _read_when_there(ready: Path, process: Process) -> dict[str, int]:
    async with asyncio.timeout(READY_TIMEOUT_S):
        while process.returncode is None:
            with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
                return msgspec.json.decode(_read(ready), type=dict[str, Any])
            await asyncio.sleep(0.002)
    raise RuntimeError(f"the server ended with code {process.returncode} before it was ready")


def _read(path: Path) -> bytes:
    return path.read_bytes()


@contextmanager
def _pinned(core: int | None) -> Generator[None]:
    """What is started in the block stays on that core, and the rest stays off it."""
    if core is None:
        yield
        return
    mine = cores()
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(END_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
