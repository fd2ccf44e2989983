"""Sessions over a real socket, from the first message to the last."""

from typing import Any

import pytest
from bargein_server.models.predictor import Predictor
from support.peer import Peer, peer, types
from support.scripted import ScriptedModel
from support.server import RunningServer, running_server
from support.sounds import silence, voice


async def test_interruption_is_pushed_as_soon_as_it_is_proven(client: Peer) -> None:
    await client.create()
    await client.say("agent.started", at_ms=0)
    await client.play(silence(1.5) + voice(0.4))
    heard = await client.hear_until("interruption")
    assert types(heard) == ["speech.started", "overlap.started", "interruption"]
    verdict = heard[-1]
    assert verdict["source"] == "model"
    assert verdict["overlap_id"] == 1
    assert 1400 <= verdict["onset_ms"] <= 1600
    assert verdict["at_ms"] - verdict["onset_ms"] == verdict["detection_delay_ms"]
    assert verdict["probability"] == pytest.approx(0.9, abs=1e-4)


async def test_noise_is_reported_when_its_overlap_ends() -> None:
    predictor = Predictor(ScriptedModel(0.1))
    async with running_server(predictor=predictor) as server, peer(server.session_url) as client:
        await client.create()
        await client.say("agent.started", at_ms=0)
        await client.play(silence(1.5) + voice(0.6) + silence(1))
        verdict = await client.wait_for("non_interruption")
        assert verdict["reason"] == "noise"
    await predictor.close()


async def test_messages_are_numbered_and_the_last_is_the_summary(client: Peer) -> None:
    created = await client.create()
    await client.say("agent.started")
    await client.play(voice(0.5))
    await client.say("session.close")
    heard = [created, *await client.hear_all()]
    assert [message["seq"] for message in heard] == list(range(1, len(heard) + 1))
    assert heard[-1]["type"] == "session.closed"
    assert heard[-1]["summary"]["overlaps"] == 1
    assert heard[-1]["summary"]["duration_ms"] == 500
    assert client.websocket.close_code == 1000


async def test_options_are_all_effective_and_unknown_ones_are_named(client: Peer) -> None:
    await client.say("session.create", options={"hop_ms": 50, "hop": 1})
    created, warning = await client.hear(), await client.hear()
    assert created["options"]["hop_ms"] == 50
    assert created["options"]["threshold"] == 0.5
    assert warning["code"] == "unknown_option"
    assert warning["message"].endswith(": hop")


async def test_update_changes_what_it_names_and_null_goes_back() -> None:
    predictor = Predictor(ScriptedModel(0.9))
    options = {"hop_ms": 150.0}
    async with (
        running_server(predictor=predictor, **_defaults(options)) as server,
        peer(server.session_url) as client,
    ):
        assert (await client.create())["options"]["hop_ms"] == 150
        await client.say("session.update", options={"hop_ms": 200, "threshold": 0.7})
        updated = (await client.wait_for("session.updated"))["options"]
        assert (updated["hop_ms"], updated["threshold"]) == (200, 0.7)
        await client.say("session.update", options={"threshold": None})
        updated = (await client.wait_for("session.updated"))["options"]
        assert (updated["hop_ms"], updated["threshold"]) == (200, 0.5)
        await client.say("session.update", options=None)
        updated = (await client.wait_for("session.updated"))["options"]
        assert (updated["hop_ms"], updated["threshold"]) == (150, 0.5)
    await predictor.close()


@pytest.mark.parametrize(
    ("encoding", "rate"),
    [("s16le", 8000), ("f32le", 48000), ("mulaw", 8000), ("alaw", 8000), ("s16le", 44100)],
)
async def test_every_format_moves_the_same_clock(client: Peer, encoding: str, rate: int) -> None:
    size = {"s16le": 2, "f32le": 4}.get(encoding, 1)
    await client.create(audio={"encoding": encoding, "sample_rate": rate})
    for _ in range(10):
        await client.websocket.send(bytes(size * rate // 10))
    await client.say("session.close")
    closed = await client.wait_for("session.closed")
    assert closed["at_ms"] == pytest.approx(1000, abs=10)  # one frame of the VAD


async def test_two_tracks(client: Peer) -> None:
    await client.create(audio={"tracks": ["user", "agent"]})
    await client.say("agent.started")
    for start in range(0, 16000, 640):
        await client.websocket.send(b"\1" + voice(0.5)[start : start + 640])
        await client.websocket.send(b"\0" + voice(0.5)[start : start + 640])
    assert (await client.wait_for("interruption"))["source"] in {"model", "vad"}


async def test_gap_moves_the_clock(client: Peer) -> None:
    await client.create()
    await client.play(silence(0.1))
    await client.say("audio.gap", duration_ms=300)
    await client.say("session.close")
    assert (await client.wait_for("session.closed"))["at_ms"] == 400


async def test_transcripts_wait_for_the_verdict(client: Peer) -> None:
    await client.create()
    await client.say("agent.started", at_ms=0)
    await client.play(silence(1.5) + voice(0.4))
    await client.say("transcript", id="t1", text="wait", end_ms=1900)
    heard = await client.hear_until("transcript.released")
    assert heard[-1]["id"] == "t1"
    assert "interruption" in types(heard)


async def test_every_session_may_ask_for_its_predictions(client: Peer) -> None:
    await client.create(options={"predictions": True})
    await client.say("agent.started")
    await client.play(silence(1.2) + voice(0.4))
    prediction = await client.wait_for("prediction")
    assert prediction["classes"]["interruption"] == pytest.approx(0.9, abs=1e-4)


async def test_session_ids_are_unique(server: RunningServer, client: Peer) -> None:
    await client.create(session_id="one")
    async with peer(server.session_url) as other:
        await other.say("session.create", session_id="one")
        assert (await other.hear())["code"] == "session_exists"
        assert await other.close_code() == 4409


async def test_server_is_full() -> None:
    predictor = Predictor(ScriptedModel(0.9))
    async with (
        running_server(predictor=predictor, max_sessions=1) as server,
        peer(server.session_url) as first,
        peer(server.session_url) as second,
    ):
        await first.create()
        await second.say("session.create")
        error = await second.hear()
        assert (error["code"], error["fatal"]) == ("server_full", True)
        assert await second.close_code() == 4503
    await predictor.close()


async def test_recording_must_be_allowed(client: Peer) -> None:
    await client.say("session.create", record=True)
    assert (await client.hear())["code"] == "recording_refused"


def _defaults(options: dict[str, Any]) -> dict[str, Any]:
    from bargein_protocol.options import Options

    return {"options": Options(**options)}
