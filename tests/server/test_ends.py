"""However a session ends, nothing of it is left: no task, no timer, no object."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable

import pytest
from bargein_protocol.errors import ErrorCode
from bargein_server.models.predictor import Predictor
from bargein_server.sessions import member
from support.models import GatedModel
from support.peer import Peer, peer
from support.scripted import ScriptedModel
from support.server import RunningServer, running_server, settled, until
from support.sounds import silence, voice

Story = Callable[[RunningServer, Peer], Awaitable[None]]


async def fresh(server: RunningServer, client: Peer) -> None:
    """Nothing has happened yet."""


async def speaking(server: RunningServer, client: Peer) -> None:  # noqa: ARG001
    await client.say("agent.started", at_ms=0)
    await client.play(silence(1.5) + voice(0.1))
    await client.wait_for("overlap.started")


async def asking(server: RunningServer, client: Peer) -> None:
    await speaking(server, client)
    await client.play(voice(0.2))
    model = server.app.services.predictor._model
    assert isinstance(model, GatedModel)
    await model.begun()


async def waiting_for_words(server: RunningServer, client: Peer) -> None:
    await client.say("session.update", options={"false_interruption_ms": 60_000})
    await speaking(server, client)
    await client.say("transcript", id="t", text="words")


async def held_back(server: RunningServer, client: Peer) -> None:
    await asking(server, client)
    await client.play(voice(3))


async def parked(server: RunningServer, client: Peer) -> None:
    await speaking(server, client)
    client.vanish()
    await client.websocket.wait_closed()


async def closed_by_the_client(server: RunningServer, client: Peer) -> None:  # noqa: ARG001
    await client.say("session.close")


async def dismissed_by_the_server(server: RunningServer, client: Peer) -> None:  # noqa: ARG001
    for entry in server.app.sessions:
        entry.session.end(ErrorCode.SHUTTING_DOWN)


async def left_alone(server: RunningServer, client: Peer) -> None:
    await client.websocket.close()
    for entry in server.app.sessions:  # if it is parked
        entry.session.end(ErrorCode.CONNECTION_LOST)


async def test_nothing_follows_the_end_though_its_owner_leaves_in_the_middle_of_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    predictor = Predictor(ScriptedModel(0.1))
    async with (
        running_server(predictor=predictor, resume_window_s=0) as server,
        peer(server.session_url) as client,
    ):
        await client.create(options={"backchannel_boundary_ms": None})
        await speaking(server, client)
        monkeypatch.setattr(member, "OUTBOX_BYTES", -1)  # whatever is said is too much
        await client.say("agent.stopped")
        await server.app.services.census.empty()
        log = server.app.services.event_log
        said = [entry.type for entry in log.read(0, 100).entries]
        assert said[-2:] == ["non_interruption", "session.closed"]
    await predictor.close()


@pytest.mark.parametrize("end", [closed_by_the_client, dismissed_by_the_server, left_alone])
@pytest.mark.parametrize("state", [fresh, speaking, asking, waiting_for_words, held_back, parked])
async def test_nothing_is_left(state: Story, end: Story) -> None:
    model = GatedModel(ScriptedModel(0.9))
    predictor = Predictor(model)
    async with running_server(predictor=predictor) as server:
        before = len(asyncio.all_tasks())
        async with peer(server.session_url, close_timeout=1) as client:
            await client.create(options={"prediction_timeout_ms": 10_000})
            await state(server, client)
            (entry,) = server.app.sessions
            session = weakref.ref(entry.session)
            del entry
            if state is parked and end is closed_by_the_client:
                end = dismissed_by_the_server
            await end(server, client)
            for _ in range(50):
                model.let_go()
            await server.app.services.census.empty()
        await settled(before)
        # The run under way ends on its own thread.
        await until(lambda: not server.app.services.predictor.waiting_frames)
        gc.collect()
        assert session() is None
    await predictor.close()
