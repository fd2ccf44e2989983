"""LiveKit's own clients as processes: what they are told, and what they report.

`scripts/setup-livekit` installs them, unmodified, into .tools/livekit.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".tools" / "livekit"
SCRIPTS = ROOT / "tests" / "livekit" / "clients"
API_KEY = "devkey"
API_SECRET = "a-secret-that-is-long-enough-for-hs256"
PYTHON = sorted(path.stem.removeprefix("python-") for path in SCRIPTS.glob("python-*.txt"))
"""Versions of livekit-agents, the oldest first."""
NEWEST = PYTHON[-1]

Report = dict[str, Any]


@dataclass
class Running:
    """A client that runs."""

    process: asyncio.subprocess.Process
    reports: list[Report] = field(default_factory=list[Report])
    """All that it has said."""

    async def until(self, key: str, value: object = ...) -> Report:
        """Read on until it says this.

        Raises:
            EOFError: it ended before.
        """
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.reports.append(json.loads(line))
            if key in self.reports[-1] and value in (..., self.reports[-1][key]):
                return self.reports[-1]
        raise EOFError(f"it never said {key}: {self.reports}")

    def begin(self, told: dict[str, Any]) -> None:
        """Tell it what to do; it reads that once it is "ready"."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(told).encode())
        self.process.stdin.close()

    async def finish(self) -> list[Report]:
        """Read until it ends by itself; everything that it has said."""
        with contextlib.suppress(EOFError):
            await self.until("nothing")
        assert await self.process.wait() == 0
        return self.reports

    def events(self, scenario: str) -> list[Report]:
        """What a scenario's detector has reported."""
        return [r["event"] for r in self.reports if r.get("scenario") == scenario and "event" in r]


def command(client: str, script: str) -> tuple[str, ...]:
    """How to run a script (no suffix) in a client: a version of livekit-agents, or "js"."""
    if client == "js":
        return "node", str(SCRIPTS / f"{script}.mjs")
    return str(TOOLS / f"python-{client}" / "bin" / "python"), str(SCRIPTS / f"{script}.py")


@contextlib.asynccontextmanager
async def running(client: str, script: str, base_url: str) -> AsyncGenerator[Running]:
    """Start a client for a server, configured as a user would: by the environment alone."""
    assert TOOLS.is_dir(), "LiveKit's clients are not installed; run scripts/setup-livekit"
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "LIVEKIT_INFERENCE_URL": base_url,
        "LIVEKIT_API_KEY": API_KEY,
        "LIVEKIT_API_SECRET": API_SECRET,
        "LIVEKIT_PACKAGES": str(TOOLS / "js"),
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command(client, script), stdin=pipe, stdout=pipe, env=env
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
