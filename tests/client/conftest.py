"""A session recorded by a real server."""

import asyncio
from pathlib import Path

import pytest
from bargein_client import connect
from bargein_protocol.audio import AudioFormat
from bargein_server.recording.recorder import wait_for_disk
from support.server import running_server
from support.sounds import silence, voice


@pytest.fixture
async def recorded(tmp_path: Path) -> Path:
    """A recording with an overlap, two tracks, and a change of options in the middle."""
    audio = AudioFormat(tracks=("user", "agent"))
    async with (
        running_server(record=tmp_path / "recordings") as server,
        connect(server.url, session_id="live", audio=audio) as session,
    ):
        await session.agent_started()
        await session.send_agent_audio(voice(1.9))
        await session.send_audio(silence(2) + voice(0.4))
        await session.transcript("t1", "wait a moment")
        await session.update(hangover_ms=200)
        await session.send_audio(voice(0.5) + silence(0.5))
        await session.agent_stopped()
        await session.gap(250)
        await session.send_audio(silence(0.5) + voice(0.3))
    await asyncio.to_thread(wait_for_disk)
    return tmp_path / "recordings" / "live.bargein"
