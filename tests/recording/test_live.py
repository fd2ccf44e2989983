"""Recordings of a real server: whole ones, refused ones, and one whose server was killed."""

import asyncio
import json
import shutil
import signal
import sys
from pathlib import Path

import pytest
from bargein_client import Backoff, NetworkError, Session, connect
from bargein_protocol.codec import encode
from bargein_protocol.messages import ServerMessage, SessionClosed, SessionCreated, SpeechStarted
from bargein_protocol.messages import Warning as Warned
from bargein_server.detection.inputs import SessionEnded
from bargein_server.recording.reader import read_recording
from bargein_server.recording.recorder import wait_for_disk
from bargein_server.recording.replay import play
from hypothesis import given
from hypothesis import strategies as st
from support.server import running_server
from support.sounds import silence, voice

SAMPLE = Path(__file__).parents[2] / "scripts" / "samples" / "interruption.bargein"


async def until(session: Session, kind: type[ServerMessage]) -> ServerMessage:
    async for message in session:
        if isinstance(message, kind):
            return message
    raise AssertionError(f"no {kind.__name__}")


async def test_what_the_client_heard_is_what_is_recorded_and_replayed(tmp_path: Path) -> None:
    async with running_server(record=tmp_path, allow_record=True) as server:
        async with connect(server.url, session_id="not:asked") as session:
            await session.send_audio(silence(0.1))
        async with connect(server.url, session_id="a:b", record=True, metadata={"n": 1}) as session:
            await session.agent_started()
            await session.send_audio(silence(1.5) + voice(0.5))
            await session.update(threshold=0.3, predictions=True)
            await session.send_audio(voice(0.4) + silence(0.7))
            await session.update(threshold=9)
            summary = await session.close()
            heard = [message async for message in session]
    await asyncio.to_thread(wait_for_disk)
    assert summary.recording == "a_b.bargein"
    assert not (tmp_path / "not_asked.bargein").exists()
    recording = read_recording(tmp_path / "a_b.bargein")
    assert recording.header.metadata == {"n": 1}
    created = heard[0]
    assert isinstance(created, SessionCreated)
    assert created.resume_token.encode() not in recording.events[0]
    assert list(recording.events[1:]) == [encode(message) for message in heard[1:]]
    assert [encode(message) for _, message in play(recording)] == list(recording.events)


async def test_a_disk_that_refuses_is_one_warning_and_the_session_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with (
        running_server(record=tmp_path / "file") as server,
        connect(server.url) as session,
    ):
        await session.send_audio(silence(1) + voice(0.5) + silence(1))
        await session.send_audio(voice(0.5))
        summary = await session.close()
        messages = [message async for message in session]
    codes = [message.code for message in messages if isinstance(message, Warned)]
    assert codes.count("recording_failed") == 1
    assert summary.recording is None
    assert summary.duration_ms == 3000


async def test_a_disk_that_refused_is_told_before_the_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with (
        running_server(record=tmp_path / "file") as server,
        connect(server.url) as session,
    ):
        await session.close()
        messages = [message async for message in session]
    assert [message.code for message in messages if isinstance(message, Warned)] == [
        "recording_failed"
    ]
    assert isinstance(messages[-1], SessionClosed)


async def test_a_killed_server_leaves_what_it_heard(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bargein_client", "serve", "--port", "0", "--http-port", "0",
        "--record", tmp_path / "recordings", "--ready-file", ready,
        stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    while not ready.exists():  # noqa: ASYNC110 – the file is the signal
        await asyncio.sleep(0.01)
    port = json.loads(ready.read_text())["port"]
    once = Backoff(attempts=0)
    async with connect(f"ws://127.0.0.1:{port}", session_id="cut", retry=once) as session:
        await session.agent_started()
        await session.send_audio(silence(4) + voice(0.4))
        started = await until(session, SpeechStarted)
        assert isinstance(started, SpeechStarted)
        heard_bytes = (started.at_ms - 2000) * 32
        audio = tmp_path / "recordings" / "cut.bargein" / "user.wav"
        while not audio.exists() or audio.stat().st_size < heard_bytes:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # this audio came faster than it was spoken: so does the end
        server.send_signal(signal.SIGKILL)
        await server.wait()
        with pytest.raises(NetworkError):
            await until(session, SessionCreated)
    recording = read_recording(tmp_path / "recordings" / "cut.bargein")
    assert len(recording.user) >= heard_bytes - 44  # the file's header
    assert not any(isinstance(entry.content, SessionEnded) for entry in recording.entries())
    replayed = [encode(message) for _, message in play(recording)]
    assert replayed[: len(recording.events)] == list(recording.events)[: len(replayed)]


@given(share=st.floats(0, 1))
def test_the_beginning_of_a_recording_replays_to_the_beginning(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    torn = tmp_path_factory.mktemp("torn") / SAMPLE.name
    shutil.copytree(SAMPLE, torn)
    inputs = (torn / "inputs.jsonl").read_bytes()
    (torn / "inputs.jsonl").write_bytes(inputs[: round(len(inputs) * share)])
    recording = read_recording(torn)
    replayed = [encode(message) for _, message in play(recording)]
    assert replayed == list(recording.events)[: len(replayed)]
