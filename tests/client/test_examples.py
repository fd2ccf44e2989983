"""The example that the README shows runs against a real server."""

import asyncio
import sys
from pathlib import Path

from support.server import running_server

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "client" / "examples" / "ten_lines.py"
SAMPLE = ROOT / "scripts" / "samples" / "interruption.bargein" / "user.wav"


async def test_ten_lines_hear_an_interruption() -> None:
    async with running_server() as server:
        client = await asyncio.create_subprocess_exec(
            sys.executable, EXAMPLE, server.url, SAMPLE, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await client.communicate()
    lines = output.decode().splitlines()
    assert client.returncode == 0
    assert lines[0].startswith("SessionCreated(")
    assert sum(line.startswith("Interruption(") for line in lines) == 1
    assert lines[-1].startswith("SessionClosed(")


def test_ten_lines_are_ten() -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) == 10
