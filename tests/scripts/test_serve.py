"""`scripts/serve` is up, says what to do next, and ends when it is told to."""

import asyncio
import json
import signal
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[2]


async def test_serve_is_up_says_what_to_do_next_and_ends(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    arguments = ("--port", "0", "--http-port", "0", "--ready-file", str(ready))
    process = await asyncio.create_subprocess_exec(
        ROOT / "scripts/serve", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    said = (await process.stdout.readuntil(b"Next")).decode()
    where = json.loads(ready.read_text())
    assert f"ws://127.0.0.1:{where['port']}/v1/session" in said
    url = f"http://127.0.0.1:{where['http_port']}/readyz"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert await response.text() == "ready\n"
    process.send_signal(signal.SIGTERM)
    rest, _ = await process.communicate()
    assert f"bargein watch --url ws://127.0.0.1:{where['port']}" in rest.decode()
    assert process.returncode == 0
