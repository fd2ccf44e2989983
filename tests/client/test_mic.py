"""`bargein mic` hears a file in place of the microphone, which no test can count on."""

import asyncio
import os
import pty
import signal
import sys
import termios
import types
import wave
from pathlib import Path
from typing import Any

import orjson
import pytest
from bargein_client.cli import main
from click.testing import CliRunner, Result
from support.server import running_server

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "scripts" / "samples"
INTERRUPTION = SAMPLES / "interruption.bargein" / "user.wav"

Process = asyncio.subprocess.Process


async def start(url: str, *arguments: str | Path, stdin: int = asyncio.subprocess.PIPE) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bargein_client", "mic", "--url", url, *arguments,
        stdin=stdin, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


def mic(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["mic", *map(str, arguments)])


def events(output: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in output.splitlines()]


async def test_verdicts_are_shown_as_they_come() -> None:
    async with running_server() as server:
        files = [SAMPLES / f"{name}.bargein" / "user.wav" for name in ("interruption", "cough")]
        running = [await start(server.url, "--input", file) for file in files]
        shown = [(await process.communicate())[0].decode() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert "interruption         #1  after" in shown[0]
    assert "non_interruption     #1  noise" in shown[1]
    assert shown[0].splitlines()[-1].endswith("4.0 s, 1 overlap, 1 interruption")


async def test_without_an_agent_there_is_no_overlap() -> None:
    async with running_server() as server:
        toggle = ("--input", INTERRUPTION, "--agent-speaking", "toggle", "--json")
        quiet, pressed = [await start(server.url, *toggle) for _ in range(2)]
        outputs = await asyncio.gather(quiet.communicate(), pressed.communicate(b" "))
    heard = [[event["type"] for event in events(output)] for output, _ in outputs]
    assert "speech.started" in heard[0]
    assert "overlap.started" not in heard[0]
    assert "interruption" in heard[1]
    assert outputs[1][1].startswith(b"the agent speaks")


async def test_keys_work_on_a_terminal_and_leave_it_as_it_was() -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    async with running_server() as server:
        toggle = ("--input", INTERRUPTION, "--agent-speaking", "toggle", "--json")
        process = await start(server.url, *toggle, stdin=theirs)
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"session.created" in await process.stdout.readline()
        os.write(ours, b" ")
        assert b"the agent speaks" in await process.stderr.readline()
        os.write(ours, b" ")
        assert b"the agent is silent" in await process.stderr.readline()
        await process.communicate()
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


async def test_interrupting_it_ends_the_session_in_order() -> None:
    async with running_server() as server:
        process = await start(server.url, "--input", INTERRUPTION, "--json", "--predictions")
        assert process.stdout is not None
        assert b"session.created" in await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        output, errors = await process.communicate()
    assert process.returncode == 0, errors
    last = events(output)[-1]
    assert last["type"] == "session.closed"
    assert last["summary"]["duration_ms"] < 4000


async def test_a_server_that_is_not_there_is_told(unused_tcp_port: int) -> None:
    process = await start(f"ws://127.0.0.1:{unused_tcp_port}", "--input", INTERRUPTION)
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert errors.startswith(b"Error: connection_lost")


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    result = mic()
    assert result.exit_code == 1
    assert 'pip install "bargein[mic]"' in result.output


def test_a_missing_microphone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class PortAudioError(Exception):
        pass

    def refuse(*_: object, **__: object) -> None:
        raise PortAudioError("Error querying device -1")

    library = types.ModuleType("sounddevice")
    monkeypatch.setattr(library, "PortAudioError", PortAudioError, raising=False)
    monkeypatch.setattr(library, "check_input_settings", refuse, raising=False)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    result = mic()
    assert result.exit_code == 1
    assert "no microphone: Error querying device -1; --input FILE" in result.output


def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    stereo = tmp_path / "stereo.wav"
    with wave.open(str(stereo), "wb") as file:
        file.setparams((2, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(64))
    text = tmp_path / "text.wav"
    text.write_text("not audio")
    assert "wanted is mono, 16 bit" in mic("--input", stereo).output
    assert "RIFF" in mic("--input", text).output
    cut = tmp_path / "cut.wav"
    cut.write_bytes(INTERRUPTION.read_bytes()[:20])
    assert "no whole WAV file" in mic("--input", cut).output
