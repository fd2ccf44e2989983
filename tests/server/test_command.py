"""`bargein serve` as a process: its settings, its start, its signals, its end."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from bargein_server.cli import serve
from bargein_server.configuration.config import make_settings, read_toml
from bargein_server.configuration.settings import Settings, SettingsError, is_loopback
from click.testing import CliRunner, Result
from support.models import write_model
from support.peer import peer, types
from websockets.exceptions import InvalidStatus

COMMAND = (sys.executable, "-m", "bargein_client", "serve")


def refused(*arguments: str, env: dict[str, str] | None = None) -> str:
    """What `bargein serve` says before it gives up."""
    result: Result = CliRunner().invoke(serve, arguments, env=env)
    assert result.exit_code in {1, 2}, result.output
    return result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--port", "70000"), ("--port", "70000", "65535")),
        (("--port", "http"), ("--port", "http")),
        (("--idle-timeout", "-1"), ("--idle-timeout", "-1", "0<=x<=86400")),
        (("--log-format", "xml"), ("--log-format", "xml", "json", "text")),
        (("--option", "treshold=0.5"), ("treshold", "threshold")),
        (("--option", "threshold=5"), ("threshold=5", "< 1.0")),
        (("--option", "threshold"), ("NAME=VALUE",)),
        (("--key", "no colon"), ("KEY:SECRET",)),
        (("--host", "0.0.0.0"), ("0.0.0.0", "--key", "loopback")),  # noqa: S104
        (("--allow-record",), ("allow_record", "--record")),
        (("--model", "none.onnx"), ("none.onnx", "no such file")),
        (("--config", "none.toml"), ("none.toml",)),
    ],
)
def test_bad_settings_are_named(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    output = refused(*arguments)
    assert all(word in output for word in words), output


def test_a_bad_key_is_not_shown() -> None:
    assert "s3cret" not in refused("--key", ":s3cret")


def test_environment_is_checked_alike() -> None:
    output = refused(env={"BARGEIN_HTTP_PORT": "-1"})
    assert "--http-port" in output
    assert "BARGEIN_HTTP_PORT" in output


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("prot = 1", ("'prot'", "'port'")),
        ("port = 70000", ("--port", "70000", "65535")),
        ("port = ", ("bad.toml",)),
        ("[options]\nhops = 1", ("hops", "hop_ms")),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, toml: str, words: tuple[str, ...]) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(toml)
    output = refused("--config", str(path))
    assert all(word in output for word in words), output


def test_flags_win_over_environment_over_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Settings] = []
    monkeypatch.setattr("bargein_server.cli.run", seen.append)
    path = tmp_path / "bargein.toml"
    path.write_text(
        "port = 1\nhttp_port = 2\nmax_sessions = 3\nallow_origins = ['https://a.example/']\n"
        "[options]\nthreshold = 0.6\nbackchannel_boundary_ms = [500, 0]\n[keys]\nfile = 'secret'\n"
    )
    env = {"BARGEIN_HTTP_PORT": "20", "BARGEIN_MAX_SESSIONS": "30"}
    arguments = ("--config", str(path), "--max-sessions", "300")
    result = CliRunner().invoke(serve, arguments, env=env)
    assert result.exit_code == 0, result.output
    (settings,) = seen
    assert (settings.port, settings.http_port, settings.max_sessions) == (1, 20, 300)
    assert settings.create_timeout_s == Settings().create_timeout_s
    assert settings.options.threshold == 0.6
    assert settings.options.boundaries_ms == (500, 0)
    assert settings.keys == {"file": "secret"}
    assert settings.allow_origins == ("https://a.example",)


def test_keys_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Settings] = []
    monkeypatch.setattr("bargein_server.cli.run", seen.append)
    CliRunner().invoke(serve, ["--host", "::"], env={"BARGEIN_KEYS": "a:b c:d:e"})
    assert seen[0].keys == {"a": "b", "c": "d:e"}


def test_every_setting_has_a_flag_with_help() -> None:
    output = CliRunner().invoke(serve, ["--help"], terminal_width=200).output
    assert all(param.help for param in serve.params if param.name != "help")
    assert len(serve.params) == len(Settings.__struct_fields__) + 1
    assert "BARGEIN_KEYS" in output


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a", False)],  # noqa: S104
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="config"):
        read_toml(path)
    with pytest.raises(KeyError):
        make_settings({})


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    output = refused("--record", str(tmp_path / "file" / "recordings"))
    assert "record = " in output
    assert "file/recordings" in output.replace("\n", "")


@pytest.mark.parametrize("kind", ["missing", "truncated", "not a model", "wrong shape"])
async def test_a_model_that_cannot_be_used(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model.onnx"
    if kind == "wrong shape":
        write_model(path, classes=4)
    elif kind != "missing":
        whole = write_model(path).read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if kind == "truncated" else b"hello")
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--port", "0", "--http-port", "0", "--model", str(path),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 1
    assert out == b""
    assert str(path) in err.decode()
    assert "Traceback" not in err.decode()


@contextlib.asynccontextmanager
async def served(tmp_path: Path, *arguments: str) -> AsyncGenerator[tuple[Any, dict[str, Any]]]:
    """A server process, and what its ready file says."""
    ready = tmp_path / f"ready-{uuid4().hex}.json"
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--port", "0", "--http-port", "0", "--ready-file", str(ready), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        lines = process.stderr if "json" in arguments else process.stdout
        assert b"listening" in await lines.readline()
        yield process, json.loads(ready.read_bytes())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def logged(process: Any, words: bytes) -> None:
    """Wait until the server's log says this."""
    while words not in (line := await process.stderr.readline()):
        assert line, "the log has ended"


async def test_it_says_where_it_listens_and_what_to_do_next(tmp_path: Path) -> None:
    async with served(tmp_path) as (process, ready):
        assert ready["pid"] == process.pid
        process.send_signal(signal.SIGTERM)
        said = (await process.stdout.read()).decode()
        assert await process.wait() == 0
    assert f"ws://127.0.0.1:{ready['port']}/v1/session" in said
    assert f"http://127.0.0.1:{ready['http_port']}" in said
    assert "no keys" in said
    assert "replay" in said
    assert f"bargein watch --url ws://127.0.0.1:{ready['port']}" in said
    assert "\x1b" not in said
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 - a folder of no files


async def test_for_machines_the_log_is_json(tmp_path: Path) -> None:
    async with served(tmp_path, "--log-format", "json") as (process, ready):
        assert ready["host"] == "127.0.0.1"
        process.send_signal(signal.SIGTERM)
        lines = (await process.stderr.read()).splitlines()
    assert {"time", "level", "logger", "message"} <= set(json.loads(lines[0]))


async def test_tokens_are_never_logged(tmp_path: Path) -> None:
    secret = "a-secret-that-nobody-may-see-in-a-log"
    async with served(tmp_path, "--log-level", "debug", "--key", f"key:{secret}") as (p, ready):
        url = f"ws://127.0.0.1:{ready['port']}/v1/session?access_token=abc.def.ghi"
        with pytest.raises(InvalidStatus):
            async with peer(url):
                pass
        async with aiohttp.ClientSession() as http:
            await http.get(f"http://127.0.0.1:{ready['http_port']}/v1/sessions?access_token=jkl")
        p.send_signal(signal.SIGTERM)
        out, err = await p.communicate()
    for text in ("abc.def.ghi", "jkl", secret):
        assert text not in (out + err).decode()


async def test_a_short_secret_is_mentioned_once(tmp_path: Path) -> None:
    async with served(tmp_path, "--key", "key:secret") as (process, ready):
        async with aiohttp.ClientSession(f"http://127.0.0.1:{ready['http_port']}") as http:
            basic = {"Authorization": aiohttp.encode_basic_auth("key", "secret")}
            async with http.post("/v1/tokens", headers=basic) as response:
                token = (await response.json())["token"]
        async with peer(f"ws://127.0.0.1:{ready['port']}/v1/session?access_token={token}") as one:
            await one.create()
            await one.say("session.close")
            await one.hear_all()
        process.send_signal(signal.SIGTERM)
        _, said = await process.communicate()
    assert said.count(b"the secret of key 'key' is short") == 1
    assert b"InsecureKeyLength" not in said


async def test_sigterm_lets_sessions_end(tmp_path: Path) -> None:
    async with served(tmp_path) as (process, ready):
        url = f"ws://127.0.0.1:{ready['port']}/v1/session"
        http_url = f"http://127.0.0.1:{ready['http_port']}"
        async with aiohttp.ClientSession(http_url) as http, peer(url) as client:
            await client.create()
            assert (await http.get("/readyz")).status == 200
            process.send_signal(signal.SIGTERM)
            await logged(process, b"draining: 1")
            assert (await http.get("/readyz")).status == 503
            assert (await http.get("/healthz")).status == 200
            with pytest.raises(InvalidStatus, match="503"):
                async with peer(url):
                    pass
            await client.say("session.close")
            assert types(await client.hear_all()) == ["session.closed"]
        assert await process.wait() == 0


@pytest.mark.parametrize("how", ["timeout", "interrupt"])
async def test_sessions_that_do_not_end_are_ended(tmp_path: Path, how: str) -> None:
    limit = "0.2" if how == "timeout" else "1000"
    async with served(tmp_path, "--drain-timeout", limit) as (process, ready):
        async with peer(f"ws://127.0.0.1:{ready['port']}/v1/session") as client:
            await client.create()
            process.send_signal(signal.SIGINT)
            await logged(process, b"draining")
            if how == "interrupt":
                process.send_signal(signal.SIGINT)
            heard = await client.hear_all()
            assert heard[0]["code"] == "shutting_down"
            assert types(heard) == ["error", "session.closed"]
            assert client.websocket.close_code == 1012
        assert await process.wait() == 0


async def test_two_processes_behind_one_port(tmp_path: Path) -> None:
    async with served(tmp_path) as (old, ready):
        port = str(ready["port"])
        async with peer(f"ws://127.0.0.1:{port}/v1/session") as client:
            await client.create()
            async with served(tmp_path, "--port", port) as (new, _):
                await logged(new, b"another server listens on port " + port.encode())
                old.send_signal(signal.SIGTERM)
                await logged(old, b"draining")
                for _ in range(20):  # none of them is turned away
                    async with peer(f"ws://127.0.0.1:{port}/v1/session") as other:
                        await other.create()
                await client.say("session.close")
                assert await client.close_code() == 1000
                assert await old.wait() == 0
                assert new.returncode is None
