"""The commands as a person runs them."""

import asyncio
import json
import re
import sys
import wave
from pathlib import Path

import pytest
from bargein_client.cli import main
from bargein_client.credentials import Keys
from bargein_client.replaying.compare import compare_verdicts, decode_events, verdicts
from bargein_client.replaying.engine import OpenEngine, find_engine
from bargein_client.replaying.remote import play_remote
from bargein_client.replaying.run import AS_FAST_AS_POSSIBLE
from bargein_client.session import connect
from bargein_protocol.messages import SessionCreated, SessionUpdate, SessionUpdated
from bargein_protocol.recording import Step
from bargein_server.recording.reader import read_recording
from bargein_server.recording.replay import InProcess
from click.testing import CliRunner, Result
from msgspec.structs import replace
from support.server import running_server
from support.sounds import silence, voice


def bargein(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """A WAV with markers: the user speaks while the agent does."""
    path = tmp_path / "call.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(silence(2) + voice(0.8) + silence(0.8))
    path.with_suffix(".txt").write_text("500 agent.started\n")
    return path


def test_help_teaches_and_the_version_is_there() -> None:
    for command in ([], ["replay"], ["watch"]):
        result = bargein(*command, "--help")
        assert result.exit_code == 0
        assert "bargein replay " in result.output or "bargein watch" in result.output
    assert re.fullmatch(r"bargein, version \d+\.\d+\.\d+\n", bargein("--version").output)


def test_a_command_whose_libraries_are_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "bargein_client.commands.watch", None)
    assert "not available" in bargein("--help").output
    result = bargein("watch", "--url", "ws://127.0.0.1:1")
    assert result.exit_code == 1
    assert 'pip install "bargein[server]"' in result.output


def test_a_wav_is_replayed_and_drawn(call: Path, tmp_path: Path) -> None:
    picture = tmp_path / "call.png"
    result = bargein("replay", call, "--plot", picture)
    assert result.exit_code == 0
    assert "interruption" in result.output
    assert "speech.started" not in result.output
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_json_is_one_event_per_line(call: Path) -> None:
    result = bargein("replay", call, "--json", "--set", "predictions=true")
    kinds = [json.loads(line)["event"]["type"] for line in result.output.splitlines()]
    assert kinds[0] == "speech.started"
    assert "prediction" in kinds
    assert kinds[-1] == "session.closed"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "thresold=1"], "no option is named 'thresold'"),
        (["--set", "threshold"], "OPTION=VALUE"),
        (["--set", "threshold=7"], "invalid_options"),
        (["--speed", "backwards"], "real, max or a number"),
        (["--speed", "-1"], "real, max or a number"),
        (["--model", "pyproject.toml"], "pyproject.toml"),
        (["--url", "ws://127.0.0.1:1"], "connection_lost"),
        (["--url", "ws://127.0.0.1:1", "--predict"], "--predict go without --url"),
        (["--key", "k"], "--key and --secret"),
        (["--diff"], "no decisions to compare with"),
    ],
)
def test_what_cannot_be_is_exit_code_2(call: Path, arguments: list[str], said: str) -> None:
    result = bargein("replay", call, *arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_what_is_no_recording_is_exit_code_2(tmp_path: Path) -> None:
    result = bargein("replay", tmp_path)
    assert result.exit_code == 2
    assert "no recording" in result.output


def test_speed_paces_a_replay_in_process(call: Path) -> None:
    result = bargein("replay", call, "--speed", "1000", "--json")
    assert result.exit_code == 0
    assert result.output.endswith('"recording":null}}}\n')


def test_diff_tells_by_its_exit_code(recorded: Path) -> None:
    same = bargein("replay", recorded, "--diff")
    assert (same.exit_code, same.output.splitlines()[-1]) == (0, "  as recorded")
    other = bargein(
        "replay",
        recorded,
        "--diff",
        "--set",
        "backchannel_boundary_ms=null",
        "--set",
        "min_speech_ms=1500",
    )
    assert other.exit_code == 1
    assert other.output.endswith("  1 difference\n")
    edited = recorded / "events.jsonl"
    edited.write_bytes(edited.read_bytes().replace(b'"at_ms":2', b'"at_ms":3'))
    assert bargein("replay", recorded, "--diff").exit_code == 1


def test_many_are_replayed_in_turn(recorded: Path, call: Path) -> None:
    result = bargein("replay", recorded, call, recorded, "--json")
    names = [json.loads(line)["recording"] for line in result.output.splitlines()]
    assert list(dict.fromkeys(names)) == [recorded.name, call.name]
    assert bargein("replay", recorded, call, "--plot", "x.png").exit_code == 2
    assert read_recording(recorded).events


async def test_a_server_decides_a_recording_as_it_was_decided(recorded: Path) -> None:
    tape = find_engine()(recorded).tape
    async with running_server() as server:
        played = play_remote(tape, server.url, {}, AS_FAST_AS_POSSIBLE, Keys())
        messages = [heard.message async for heard in played]
    before = decode_events(tape.events)
    assert verdicts(before)
    assert list(compare_verdicts(verdicts(before), verdicts(messages))) == []
    assert len(messages) == len(before)


async def test_the_own_threshold_of_another_model_becomes_that_of_the_servers(
    recorded: Path,
) -> None:
    """It was recorded as the number that it was then, at the beginning and in an update."""
    tape = find_engine()(recorded).tape
    model = replace(tape.header.model, default_threshold=0.31)
    options = replace(tape.header.options, threshold=0.31)
    updates = [
        Step(position, SessionUpdate(options={"threshold": threshold}))
        for position, threshold in ((0, 0.9), (320, 0.31))
    ]
    header = replace(tape.header, model=model, options=options)
    other = replace(tape, header=header, steps=tuple(updates))
    async with running_server() as server:
        played = play_remote(other, server.url, {}, AS_FAST_AS_POSSIBLE, Keys())
        said = [heard.message async for heard in played]
    resolved = [
        message.options.threshold
        for message in said
        if isinstance(message, SessionCreated | SessionUpdated)
    ]
    own = tape.header.model.default_threshold
    assert resolved == [own, 0.9, own]


async def test_watching_shows_what_happens() -> None:
    async with running_server() as server:
        command = (sys.executable, "-m", "bargein_client", "watch", "--after", "0")
        watching = await asyncio.create_subprocess_exec(
            *command, "--url", server.url, stdout=asyncio.subprocess.PIPE
        )
        assert watching.stdout is not None
        async with connect(server.url, session_id="call-7") as session:
            await session.send_audio(silence(0.3) + voice(0.3))
        lines = [(await watching.stdout.readline()).decode() for _ in range(3)]
        watching.terminate()
        await watching.communicate()
    assert [re.split(r"\s+", line.strip())[1:3] for line in lines] == [
        ["call-7", "session.created"],
        ["call-7", "speech.started"],
        ["call-7", "session.closed"],
    ]


async def test_who_is_not_let_in_is_told_by_which_flags() -> None:
    sample = "scripts/samples/cough.bargein"
    async with running_server(keys={"key": "a-secret-of-thirty-two-bytes-or-so"}) as server:
        for arguments in (("watch",), ("mic", "--input", f"{sample}/user.wav"), ("replay", sample)):
            command = [sys.executable, "-m", "bargein_client", *arguments, "--url", server.url]
            running = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
            _, said = await running.communicate()
            assert running.returncode
            assert b"unauthorized" in said
            assert b"(give --key with --secret, or --token)" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--key", "k", "--secret", "s", "--token", "t"], "give either --key and --secret or"),
        (["--url", "ws://host:99999"], "is no ws:// or wss:// URL"),
        (["--url", "ws://host/#x"], "is no ws:// or wss:// URL"),
    ],
)
def test_what_names_no_server_or_two_identities_is_said(arguments: list[str], said: str) -> None:
    done = bargein("watch", *arguments)
    assert done.exit_code in {1, 2}
    assert said in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_the_server_package_brings_the_engine() -> None:
    engine: OpenEngine = InProcess
    assert find_engine() is engine
