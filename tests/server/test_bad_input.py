"""Whatever a client sends, over a real socket: a clear error, and the server lives on."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from bargein_server.models.predictor import Predictor
from bargein_server.serving.connection import Connection
from bargein_server.serving.listener import Route
from bargein_server.serving.native import converse
from bargein_server.sessions.session import Session
from support.models import GatedModel
from support.peer import Peer, peer
from support.scripted import ScriptedModel
from support.server import RunningServer, running_server, settled
from support.sounds import silence, voice
from websockets.exceptions import ConnectionClosed


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not JSON", "invalid_json"),
        ('{"type":', "invalid_json"),
        ("[]", "invalid_message"),
        ("{}", "invalid_message"),
        ('{"type": "agent.paused"}', "unknown_type"),
        ('{"type": "transcript", "text": "no id"}', "invalid_message"),
        ('{"type": "audio.gap"}', "invalid_message"),
        ('{"type": "audio.gap", "duration_ms": -1}', "invalid_message"),
        ('{"type": "agent.started", "at_ms": -5}', "invalid_message"),
        ('{"type": "agent.started", "at_ms": "now"}', "invalid_message"),
        ('{"type": "session.update", "options": {"threshold": 1.5}}', "invalid_options"),
        ('{"type": "session.update", "options": {"hop_ms": 130}}', "invalid_options"),
        ('{"type": "session.update", "options": {"min_frames": null}}', "invalid_options"),
        ('{"type": "session.create"}', "unexpected_message"),
    ],
)
async def test_bad_messages_are_answered_and_the_session_lives(
    client: Peer, text: str, code: str
) -> None:
    await client.create()
    await client.websocket.send(text)
    error = await client.hear()
    assert (error["type"], error["code"], error["fatal"]) == ("error", code, False)
    assert error["message"]
    await _still_lives(client)


@pytest.mark.parametrize(
    "fields",
    [
        {"audio": {"sample_rate": 11025}},
        {"audio": {"encoding": "mp3"}},
        {"audio": {"tracks": ["agent"]}},
        {"session_id": "no spaces"},
        {"options": {"threshold": 2}},
        {"options": {"vad": "ears"}},
        {"resume": {"token": "t"}},
    ],
)
async def test_a_session_that_cannot_be_may_be_asked_for_again(
    client: Peer, fields: dict[str, object]
) -> None:
    await client.say("session.create", **fields)
    error = await client.hear()
    assert error["code"] in {"invalid_message", "invalid_options"}
    assert (error["seq"], error["fatal"]) == (0, False)
    await client.create()
    await _still_lives(client)


def nested(depth: int) -> dict[str, object]:
    labels: dict[str, object] = {}
    for _ in range(depth):
        labels = {"a": labels}
    return labels


async def listed(server: RunningServer) -> list[Any]:
    async with aiohttp.request("GET", f"{server.http_url}/v1/sessions") as response:
        return list((await response.json())["sessions"])


async def test_labels_too_deep_to_be_written_are_refused(
    server: RunningServer, client: Peer
) -> None:
    for _ in range(3):
        await client.say("session.create", metadata=nested(300))
        error = await client.hear()
        assert (error["code"], error["fatal"]) == ("invalid_message", False)
        assert "`metadata` cannot be written: Recursion limit" in error["message"]
    assert len(server.app.sessions) == 0
    deepest = 300
    while not len(server.app.sessions):  # the deepest that is taken can be listed, too
        deepest -= 1
        await client.say("session.create", metadata=nested(deepest))
        await client.hear()
    assert deepest > 200
    (session,) = await listed(server)
    assert session["metadata"] == nested(deepest)
    await _still_lives(client)


async def test_a_session_that_fails_as_it_opens_leaves_nothing(
    server: RunningServer, client: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "_created", lambda _: 1 / 0)
    await client.say("session.create")
    assert await client.close_code() == 1011
    assert len(server.app.sessions) == 0
    await server.app.services.census.empty()


@pytest.mark.parametrize("first", [b"\0\0" * 320, '{"type": "agent.started"}'])
async def test_anything_before_create_is_fatal(client: Peer, first: bytes | str) -> None:
    await client.websocket.send(first)
    error = await client.hear()
    assert (error["code"], error["fatal"]) == ("not_open", True)
    assert await client.close_code() == 4400


@pytest.mark.parametrize(
    "frame",
    [bytes(641), bytes(2), b"", bytes(2 * 16001)],
    ids=["odd", "too short", "empty", "too long"],
)
async def test_frames_that_are_no_audio(client: Peer, frame: bytes) -> None:
    await client.create()
    await client.websocket.send(frame)
    assert (await client.hear())["code"] == "invalid_audio"
    await _still_lives(client)


@pytest.mark.parametrize("frame", [b"\2" + bytes(640), b""])
async def test_wrong_track_byte(client: Peer, frame: bytes) -> None:
    await client.create(audio={"tracks": ["user", "agent"]})
    await client.websocket.send(frame)
    assert (await client.hear())["code"] == "invalid_audio"
    await client.websocket.send(b"\0" + bytes(640))
    await client.say("session.close")
    assert (await client.wait_for("session.closed"))["at_ms"] == 20


async def test_not_a_number(client: Peer) -> None:
    await client.create(audio={"encoding": "f32le"})
    await client.websocket.send(b"\0\0\xc0\x7f" * 320)
    assert (await client.hear())["code"] == "invalid_audio"


async def test_a_message_of_100_mb_is_refused_by_its_header(server: RunningServer) -> None:
    port = urlsplit(server.url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /v1/session HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\x82\xff" + (100_000_000).to_bytes(8, "big") + bytes(4))
    opcode, length = await reader.readexactly(2)
    assert (opcode, int.from_bytes((await reader.readexactly(length))[:2], "big")) == (0x88, 1009)
    writer.close()
    await writer.wait_closed()


async def test_a_message_of_100_mb_in_pieces(client: Peer) -> None:
    await client.create()
    with pytest.raises(ConnectionClosed):
        await client.websocket.send([bytes(1_000_000)] * 100)
    assert client.websocket.close_code == 1009


async def test_a_text_just_over_the_limit(client: Peer) -> None:
    await client.create()
    await client.websocket.send("x" * (1 << 20) + "x")
    assert await client.close_code() == 1009


async def test_text_that_is_not_utf8(client: Peer) -> None:
    await client.create()
    await client.websocket.send(b"\xff\xfe", text=True)
    assert await client.close_code() == 1007


async def test_agent_stopped_first_is_harmless(client: Peer) -> None:
    await client.create()
    await client.say("agent.stopped")
    await client.say("overlap.ended")
    await _still_lives(client)


@pytest.mark.parametrize(
    ("kind", "at_ms"),
    [
        ("agent.started", 12_100),
        ("agent.stopped", 0),
        ("overlap.started", 1e9),
        ("overlap.ended", 900),
    ],
)
async def test_markers_of_another_time(client: Peer, kind: str, at_ms: float) -> None:
    await client.create()
    await client.play(silence(11), frame_bytes=32_000)
    await client.say(kind, at_ms=at_ms)
    error = await client.wait_for("error")
    assert error["code"] == "invalid_marker"
    assert "11000" in error["message"]
    await _still_lives(client)


async def test_a_transcript_from_the_future(client: Peer) -> None:
    await client.create()
    await client.say("transcript", id="t", text="soon", end_ms=5000)
    assert (await client.wait_for("error"))["code"] == "invalid_marker"


async def test_close_in_the_middle_of_a_prediction() -> None:
    model = GatedModel(ScriptedModel(0.9))
    predictor = Predictor(model)
    async with running_server(predictor=predictor) as server, peer(server.session_url) as client:
        await client.create()
        await client.say("agent.started", at_ms=0)
        await client.play(silence(1.5) + voice(0.3))
        await model.begun()
        await client.say("session.close")
        heard = await client.hear_until("session.closed")
        verdicts = [m for m in heard if m["type"] == "non_interruption"]
        assert [verdict["reason"] for verdict in verdicts] == ["session_closed"]
        model.let_go()
        assert await client.close_code() == 1000
    for _ in range(8):
        model.let_go()
    await predictor.close()


async def test_a_client_that_vanishes_leaves_nothing_behind() -> None:
    predictor = Predictor(ScriptedModel(0.9))
    async with running_server(predictor=predictor, resume_window_s=0) as server:
        before = len(asyncio.all_tasks())
        async with peer(server.events_url, close_timeout=1) as watcher:
            await watcher.wait_for("subscribed")
            async with peer(server.session_url) as client:
                await client.create()
                await client.say("agent.started")
                await client.play(voice(0.3))
                await client.wait_for("speech.started")
                client.vanish()
            heard = await watcher.hear()
            while heard["event"]["type"] != "session.closed":
                heard = await watcher.hear()
        assert len(server.app.sessions) == 0
        await server.app.services.census.empty()
        await settled(before)
    await predictor.close()


async def test_a_client_that_is_gone_before_it_is_heard(server: RunningServer) -> None:
    done = asyncio.Event()

    async def serve_late(connection: Connection) -> None:
        await connection.wait_closed()
        await converse(connection, server.app.sessions, create_timeout_s=1)
        done.set()

    late = Route("late", lambda path: path == "/late", bool, serve_late)
    server.app.listener.add(late)
    async with peer(f"{server.url}/late") as client:
        await client.say("session.create")
        await client.websocket.close()
    await done.wait()
    assert len(server.app.sessions) == 0


async def test_an_unknown_fault_is_not_explained(
    server: RunningServer, client: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.create()
    (entry,) = server.app.sessions

    def fail(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(entry.session, "hear", fail)
    await client.play(silence(0.02))
    heard = await client.hear_all()
    assert heard[0]["code"] == "internal_error"
    assert heard[-1]["type"] == "session.closed"
    assert "secret" not in json.dumps(heard)
    assert client.websocket.close_code == 1011


async def _still_lives(client: Peer) -> None:
    await client.say("session.close")
    assert (await client.wait_for("session.closed"))["type"] == "session.closed"
    assert await client.close_code() == 1000
