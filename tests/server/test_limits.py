"""How long, how silent, how fast, how slow: what ends or slows a session."""

import asyncio
from typing import Any

import pytest
from bargein_protocol.errors import ErrorCode
from bargein_server.configuration.settings import Settings
from bargein_server.models.predictor import Predictor
from bargein_server.sessions.limits import Limits
from bargein_server.sessions.pace import CREDIT_S, Pace
from bargein_server.sessions.session import SessionState
from support.models import GatedModel
from support.peer import peer, types
from support.scripted import ScriptedModel
from support.server import RunningServer, running_server
from support.sounds import silence, voice


@pytest.mark.parametrize(
    ("settings", "code", "close_code"),
    [
        ({"idle_timeout_s": 0.05}, "idle_timeout", 4411),
        ({"max_duration_s": 0.05}, "session_too_long", 4413),
    ],
)
async def test_a_limit_ends_the_session(
    predictor: Predictor, settings: dict[str, Any], code: str, close_code: int
) -> None:
    async with (
        running_server(predictor=predictor, **settings) as server,
        peer(server.session_url) as client,
    ):
        await client.create()
        heard = await client.hear_all()
        assert types(heard) == ["error", "session.closed"]
        assert (heard[0]["code"], heard[0]["fatal"]) == (code, True)
        assert client.websocket.close_code == close_code


async def test_create_must_come_in_time(predictor: Predictor) -> None:
    async with (
        running_server(predictor=predictor, create_timeout_s=0.1) as server,
        peer(server.session_url) as client,
    ):
        assert (await client.hear())["code"] == "create_timeout"
        assert await client.close_code() == 4408


def test_limits_by_the_clock() -> None:
    limits = Limits(Settings(idle_timeout_s=10, max_duration_s=100, resume_window_s=5), now=1000)
    assert limits.deadline == 1010
    limits.heard_at = 1008
    assert (limits.exceeded(1017.9), limits.exceeded(1018)) == (None, ErrorCode.IDLE_TIMEOUT)
    limits.park(1012)
    assert (limits.exceeded(1016.9), limits.exceeded(1017)) == (None, ErrorCode.CONNECTION_LOST)
    limits.unpark(1016)
    assert limits.deadline == 1026
    limits.heard_at = 1099
    assert limits.exceeded(1100) is ErrorCode.SESSION_TOO_LONG


def test_no_limits() -> None:
    limits = Limits(Settings(idle_timeout_s=0, max_duration_s=0), now=0)
    assert limits.exceeded(1e9) is None


def test_pace_in_real_time() -> None:
    pace = Pace(slack_s=0.06)
    pace.heard(0.02, 10.00)
    pace.heard(0.02, 10.02)
    assert pace.ahead_s(10.02) == pytest.approx(0)
    assert pace.stalls_at == pytest.approx(10.10)
    assert pace.missing_s(10.09) == 0
    assert pace.missing_s(10.12) == pytest.approx(0.10)
    pace.filled(0.10)
    assert pace.missing_s(10.12) == 0


def test_pace_of_late_audio_is_not_made_up_for() -> None:
    pace = Pace(slack_s=0.06)
    pace.heard(0.02, 10.0)
    pace.heard(0.02, 15.0)
    assert pace.ahead_s(15.0) == -CREDIT_S, "it may still come in a burst"
    pace.skip(20.0)
    assert pace.stalls_at == pytest.approx(20.08)


def test_pace_of_a_burst() -> None:
    pace = Pace(slack_s=0.06)
    for _ in range(50):
        pace.heard(0.02, 10.0)
    assert pace.ahead_s(10.0) == pytest.approx(0.98)
    assert pace.missing_s(11.0) == 0


async def test_stalled_audio_is_made_up_so_that_an_overlap_ends(predictor: Predictor) -> None:
    async with (
        running_server(predictor=predictor) as server,
        peer(server.session_url) as client,
    ):
        await client.create()
        await client.play(voice(0.3))
        stopped = await client.wait_for("speech.stopped")
        assert stopped["at_ms"] == pytest.approx(300, abs=30)
        await client.say("session.close")
        closed = await client.wait_for("session.closed")
        assert closed["at_ms"] >= 700
        assert server.app.metrics.registry.get_sample_value("bargein_ticks_total")


async def test_a_gap_replaces_the_ticks_that_filled_it(predictor: Predictor) -> None:
    async with (
        running_server(predictor=predictor) as server,
        peer(server.session_url) as client,
    ):
        await client.create()
        await client.play(voice(0.3))
        await client.wait_for("speech.stopped")
        (entry,) = server.app.sessions
        made_up = entry.session.at_ms - 300
        assert made_up >= 400
        await client.say("audio.gap", duration_ms=2000)
        await client.say("session.close")
        assert (await client.wait_for("session.closed"))["at_ms"] == pytest.approx(2300, abs=10)


async def test_audio_faster_than_real_time_waits_for_the_model() -> None:
    model = GatedModel(ScriptedModel(0.1))
    predictor = Predictor(model)
    async with running_server(predictor=predictor) as server, peer(server.session_url) as client:
        await client.create(options={"prediction_timeout_ms": 10_000, "predictions": True})
        await client.say("agent.started", at_ms=0)
        playing = asyncio.create_task(client.play(silence(3) + voice(60)))
        await model.begun()
        (entry,) = server.app.sessions
        assert entry.session.at_ms <= 3400  # the first prediction, not a minute later
        warning = await client.wait_for("warning")
        assert warning["code"] == "audio_fast"
        heard_ms = 0.0
        for _ in range(5):
            model.let_go()
            heard_ms = (await client.wait_for("prediction"))["at_ms"]
            await model.begun()
        assert entry.session.at_ms <= heard_ms + 200
        playing.cancel()
        client.vanish()
        model.let_go()
    for _ in range(3):
        model.let_go()
    await predictor.close()


async def test_audio_too_far_ahead_is_refused(predictor: Predictor) -> None:
    async with (
        running_server(predictor=predictor, max_ahead_s=5) as server,
        peer(server.session_url) as client,
    ):
        await client.create()
        await client.play(silence(8), frame_bytes=32_000)
        heard = await client.hear_all()
        assert "audio_too_fast" in [m.get("code") for m in heard]
        assert client.websocket.close_code == 4429


async def test_gaps_count_as_audio(predictor: Predictor) -> None:
    async with (
        running_server(predictor=predictor, max_ahead_s=100) as server,
        peer(server.session_url) as client,
    ):
        await client.create()
        for _ in range(3):  # the first may be time that has passed
            await client.say("audio.gap", duration_ms=60_000)
        heard = await client.hear_all()
        assert "audio_too_fast" in [m.get("code") for m in heard]


async def test_silence_is_mentioned_once(server: RunningServer) -> None:
    async with peer(server.session_url) as client:
        await client.create()
        await client.play(bytes(32_000 * 8), frame_bytes=32_000)
        await client.say("session.close")
        codes = [m.get("code") for m in await client.hear_all()]
        assert codes.count("all_zero_audio") == 1


async def test_a_model_that_fails_is_replaced_by_the_vad() -> None:
    model = GatedModel(ScriptedModel(0.9))
    for _ in range(30):
        model.let_go(RuntimeError("no"))
    predictor = Predictor(model)
    async with running_server(predictor=predictor) as server, peer(server.session_url) as client:
        await client.create()
        await client.say("agent.started", at_ms=0)
        await client.play(silence(1.5) + voice(1))
        heard = await client.hear_until("interruption")
        assert heard[-1]["source"] == "vad"
        assert "model_fallback" in [m.get("code") for m in heard]
    await predictor.close()


async def test_a_slow_consumer_is_closed_and_may_come_back(predictor: Predictor) -> None:
    async with running_server(predictor=predictor) as server, peer(server.session_url) as client:
        await client.create()
        client.websocket.transport.pause_reading()
        (entry,) = server.app.sessions
        while entry.session.state is SessionState.LIVE:
            await client.websocket.send("?" * 100)
        count = server.app.metrics.registry.get_sample_value("bargein_slow_consumers_total")
        assert count == 1
        client.websocket.transport.resume_reading()
        assert await client.close_code() == 4410


async def test_options_that_change_nothing_pile_up_no_questions() -> None:
    """Each asks afresh about the overlap; what was asked before is wanted by nobody."""
    gated = GatedModel(ScriptedModel(0.1))
    async with (
        Predictor(gated) as predictor,
        running_server(predictor=predictor) as server,
        peer(server.session_url) as client,
    ):
        await client.create()
        await client.say("agent.started", at_ms=0)
        await client.play(silence(1.5) + voice(0.3))
        await gated.begun()
        for _ in range(100):
            await client.say("session.update", options={})
            await client.wait_for("session.updated")
        assert 0 < predictor.waiting_frames < 200
        gated.let_all_go()
        await client.play(silence(1.0))
        assert (await client.wait_for("non_interruption"))["source"] == "model"
