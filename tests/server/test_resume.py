"""A connection is lost, or a second one joins: the session is still one."""

import asyncio
import contextlib

import pytest
from bargein_server.models.predictor import Predictor
from bargein_server.sessions.session import SessionState
from support.peer import Peer, peer, types
from support.scripted import ScriptedModel
from support.server import RunningServer, running_server, settled
from support.sounds import silence, voice


async def test_resume_goes_on_without_a_hole_or_a_repeat(
    server: RunningServer, client: Peer
) -> None:
    await client.create(options={"predictions": True})
    await client.say("agent.started", at_ms=0)
    await client.play(silence(1.5) + voice(0.4))
    heard = await client.hear_until("prediction")
    client.vanish()
    async with peer(server.session_url) as again:
        resumed = await again.create(**client.resume(after=heard[0]["seq"]))
        assert resumed["seq"] == 0
        assert resumed["session_id"] == client.created["session_id"]
        await again.say("session.close")
        rest = await again.hear_all()
    assert rest[: len(heard) - 1] == heard[1:]
    assert [m["seq"] for m in rest] == list(range(heard[0]["seq"] + 1, rest[-1]["seq"] + 1))
    assert types(rest).count("interruption") == 1


async def test_the_clock_goes_on_where_it_was(server: RunningServer, client: Peer) -> None:
    await client.create()
    await client.play(silence(0.5))
    await client.say("nonsense")
    await client.wait_for("error")
    client.vanish()
    async with peer(server.session_url) as again:
        assert (await again.create(**client.resume(after=2)))["at_ms"] == 500
        await again.play(silence(0.5))
        await again.say("session.close")
        assert (await again.wait_for("session.closed"))["at_ms"] == 1000


async def test_a_client_that_failed_may_come_back(server: RunningServer, client: Peer) -> None:
    await client.create()
    await client.websocket.close(1011, "its own fault")
    async with peer(server.session_url) as again:
        resumed = await again.create(**client.resume(after=1))
        assert resumed["session_id"] == client.created["session_id"]


async def test_resuming_replaces_a_connection_that_is_still_there(
    server: RunningServer, client: Peer
) -> None:
    await client.create()
    async with peer(server.session_url) as again:
        await again.create(**client.resume(after=1))
        error = await client.hear()
        assert (error["code"], error["fatal"]) == ("replaced", True)
        assert await client.close_code() == 4414
        await again.say("session.close")
        assert await again.close_code() == 1000


async def test_resume_needs_the_token(server: RunningServer, client: Peer) -> None:
    await client.create()
    client.vanish()
    stolen = client.resume(after=1) | {"resume": {"token": "guessed", "after": 1}}
    async with peer(server.session_url) as thief:
        await thief.say("session.create", **stolen)
        assert (await thief.hear())["code"] == "unknown_session"
        assert await thief.close_code() == 4404


@pytest.mark.parametrize("after", [0, 5000])
async def test_resume_after_what_is_not_held(
    server: RunningServer, client: Peer, after: int
) -> None:
    await client.create()
    for _ in range(1100):  # more than are held
        await client.websocket.send("?")
        await client.hear()
    client.vanish()
    async with peer(server.session_url) as again:
        await again.say("session.create", **client.resume(after=after))
        assert (await again.hear())["code"] == "resume_too_old"
        assert await again.close_code() == 4415


async def test_the_resume_window_passes() -> None:
    predictor = Predictor(ScriptedModel(0.9))
    async with running_server(predictor=predictor, resume_window_s=0.05) as server:
        before = len(asyncio.all_tasks())
        async with peer(server.session_url) as client:
            await client.create()
            client.vanish()
        await server.app.services.census.empty()
        await settled(before)
    await predictor.close()


async def test_a_polite_goodbye_ends_the_session(server: RunningServer, client: Peer) -> None:
    await client.create()
    await client.websocket.close()
    await server.app.services.census.empty()
    assert len(server.app.sessions) == 0


async def test_audio_here_and_the_agent_there(server: RunningServer, client: Peer) -> None:
    await client.create()
    async with peer(server.session_url) as agent:
        joined = await agent.create(**client.attach())
        assert (joined["seq"], joined["session_id"]) == (0, client.created["session_id"])
        await agent.say("agent.started")
        await client.play(silence(0.02))
        await agent.say("nonsense")  # its answer says that the marker has been taken
        await client.wait_for("error")
        await client.play(silence(1.5) + voice(0.4))
        ours = await client.wait_for("interruption")
        theirs = await agent.wait_for("interruption")
        assert ours == theirs
        await agent.say("session.close")
        assert await agent.close_code() == 1000
        (entry,) = server.app.sessions
        assert entry.session.state is SessionState.LIVE


async def test_the_owners_end_ends_it_for_all(server: RunningServer, client: Peer) -> None:
    await client.create()
    async with peer(server.session_url) as other:
        await other.create(**client.attach())
        await client.say("session.close")
        assert types(await other.hear_all()) == ["session.closed"]
        assert other.websocket.close_code == 1000


async def test_an_owner_that_is_lost_for_good_ends_it_in_order_for_all() -> None:
    async with (
        running_server(resume_window_s=0) as server,
        peer(server.session_url) as owner,
        peer(server.session_url) as other,
    ):
        await owner.create()
        await other.create(**owner.attach())
        owner.vanish()
        assert types(await other.hear_all()) == ["session.closed"]
        assert other.websocket.close_code == 1000


async def test_an_attached_connection_may_come_and_go(server: RunningServer, client: Peer) -> None:
    await client.create()
    async with peer(server.session_url) as other:
        await other.create(**client.attach())
        other.vanish()
    await client.say("session.close")
    assert (await client.hear())["type"] == "session.closed"


async def test_connections_of_one_session_are_bounded(server: RunningServer, client: Peer) -> None:
    await client.create()
    async with contextlib.AsyncExitStack() as others:
        for _ in range(15):
            other = await others.enter_async_context(peer(server.session_url))
            await other.create(**client.attach())
        async with peer(server.session_url) as one_more:
            await one_more.say("session.create", **client.attach())
            assert (await one_more.hear())["code"] == "server_full"
        await client.say("session.close")


async def test_an_agent_track_must_be_the_sessions(server: RunningServer, client: Peer) -> None:
    await client.create()
    async with peer(server.session_url) as other:
        await other.say("session.create", audio={"tracks": ["user", "agent"]}, **client.attach())
        assert (await other.hear())["code"] == "invalid_message"


async def test_the_agents_side_may_own_and_the_browser_send_the_audio(
    server: RunningServer, client: Peer
) -> None:
    await client.create()
    await client.say("agent.started", at_ms=0)
    async with peer(server.session_url) as browser:
        await browser.create(audio={"encoding": "mulaw", "sample_rate": 8000}, **client.attach())
        await browser.play(b"\xff" * 800 * 15, frame_bytes=160)
        await browser.say("audio.gap", duration_ms=100)
        await browser.say("nonsense")  # its answer says that all before it has been heard
        await browser.wait_for("error")
        await client.say("session.close")
        closed = await client.wait_for("session.closed")
    assert closed["at_ms"] == pytest.approx(1600, abs=10)
