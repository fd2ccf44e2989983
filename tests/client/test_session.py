"""The client against a real server, through a network that breaks."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from bargein_client import (
    Backoff,
    ClientError,
    NetworkError,
    Session,
    SessionState,
    connect,
    link,
)
from bargein_client import session as session_module
from bargein_protocol.audio import AudioFormat
from bargein_protocol.codec import encode
from bargein_protocol.errors import ErrorCode
from bargein_protocol.messages import (
    Error,
    Interruption,
    NonInterruption,
    OverlapOpened,
    Resume,
    ServerMessage,
    SessionClosed,
    SessionCreate,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
)
from bargein_server.sessions.session import SessionState as Parking
from support.relay import Relay, relay_to
from support.server import RunningServer, running_server
from support.sounds import silence, voice
from websockets.asyncio.client import connect as plain

FAST = AudioFormat(encoding="f32le", sample_rate=48000)
AT_ONCE = Backoff(first_s=0.001, most_s=0.002, attempts=100_000)


@pytest.fixture
async def server() -> AsyncIterator[RunningServer]:
    async with running_server() as running:
        yield running


@pytest.fixture
async def relay(server: RunningServer) -> AsyncIterator[Relay]:
    async with relay_to(server.url) as running:
        yield running


async def until(session: Session, kind: type[ServerMessage]) -> list[ServerMessage]:
    """The messages up to the first of this kind."""
    seen: list[ServerMessage] = []
    async for message in session:
        seen.append(message)
        if isinstance(message, kind):
            return seen
    raise AssertionError(f"no {kind.__name__} in {seen}")


async def test_a_whole_session(server: RunningServer) -> None:
    async with connect(server.url, options={"hangover_ms": 200}) as session:
        assert session.created.options.hangover_ms == 200
        await session.send_audio(silence(1.5))
        await session.agent_started()
        await session.send_audio(silence(1.5))
        await session.send_audio(voice(0.6))
        await session.send_audio(silence(0.8))
        summary = await session.close()
        messages = [message async for message in session]
    assert isinstance(messages[0], SessionCreated)
    assert isinstance(messages[-1], SessionClosed)
    assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
    assert sum(isinstance(m, Interruption | NonInterruption) for m in messages) == 1
    assert summary.overlaps == 1
    assert summary.duration_ms == session.at_ms == 4400


async def test_leaving_the_block_closes_and_leaves_nothing(server: RunningServer) -> None:
    before = asyncio.all_tasks()
    async with connect(server.url) as session:
        await session.send_audio(silence(0.1))
    assert session.state is SessionState.OVER
    await eventually(lambda: asyncio.all_tasks() == before)
    with pytest.raises(ClientError, match="closed"):
        await session.send_audio(silence(0.1))


async def test_cancelling_closes_and_leaves_nothing(server: RunningServer) -> None:
    before = asyncio.all_tasks()
    opened = asyncio.Event()

    async def user() -> None:
        async with connect(server.url) as session:
            opened.set()
            await read_on(session)

    task = asyncio.create_task(user())
    await opened.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await all_sessions_ended(server)
    await eventually(lambda: asyncio.all_tasks() == before)


async def test_an_exception_in_the_block_comes_through(server: RunningServer) -> None:
    with pytest.raises(ZeroDivisionError):
        async with connect(server.url):
            _ = 1 / 0
    await all_sessions_ended(server)


async def all_sessions_ended(server: RunningServer) -> None:
    await eventually(lambda: not len(server.app.sessions))


async def eventually(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 – there is nothing that could be waited for
        await asyncio.sleep(0)


async def read_on(session: Session) -> None:
    async for _ in session:
        pass


async def test_a_gap_may_be_of_any_length(server: RunningServer) -> None:
    async with connect(server.url) as session:
        await session.gap(150_000)
        await session.gap(0)
        with pytest.raises(ValueError, match="-1 ms"):
            await session.gap(-1)
        summary = await session.close()
        assert not [message async for message in session if isinstance(message, Error)]
    assert summary.duration_ms == session.at_ms == 150_000


async def test_arrays_two_tracks_and_markers(server: RunningServer) -> None:
    audio = AudioFormat(encoding="f32le", sample_rate=48000, tracks=("user", "agent"))
    async with connect(server.url, audio=audio, metadata={"room": "7"}) as session:
        await session.send_agent_audio(memoryview(bytes(48000 * 4)).cast("f"))
        await session.send_audio(memoryview(bytes(48000 * 4)).cast("f"))
        await session.gap(500)
        await session.transcript("t1", "hello", start_ms=100, end_ms=200)
        await session.overlap_started(speech_duration_ms=100)
        await session.overlap_ended()
        await session.agent_started()
        await session.agent_stopped()
        await session.update(threshold=0.25)
        await session.reset_options()
        summary = await session.close()
        updates = [m async for m in session if isinstance(m, SessionUpdated)]
    assert summary.duration_ms == 1500
    assert updates[0].options.threshold == 0.25
    assert updates[1].options.threshold == session.created.options.threshold


async def test_the_agents_track_has_to_be_announced(server: RunningServer) -> None:
    async with connect(server.url) as session:
        with pytest.raises(ValueError, match="tracks"):
            await session.send_agent_audio(silence(0.1))


async def test_a_refused_update_is_an_event(server: RunningServer) -> None:
    async with connect(server.url) as session:
        await session.update(threshold=7)
        messages = await until(session, Error)
    error = messages[-1]
    assert isinstance(error, Error)
    assert error.code == "invalid_options"


async def test_refused_options_are_the_clients_fault(server: RunningServer) -> None:
    with pytest.raises(ClientError, match=r"invalid_options.*threshold"):
        async with connect(server.url, options={"threshold": 7}):
            raise AssertionError("opened")


async def test_nobody_there_is_the_networks_fault() -> None:
    with pytest.raises(NetworkError, match="127"):
        async with connect("ws://127.0.0.1:1"):
            raise AssertionError("opened")


@pytest.mark.parametrize("url", ["http://127.0.0.1", "127.0.0.1:8765", "ws://"])
async def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(ClientError, match="ws://"):
        async with connect(url):
            raise AssertionError("opened")


async def test_key_and_secret_open_a_locked_server() -> None:
    async with running_server(keys={"key": "a-secret-of-thirty-two-characters"}) as server:
        with pytest.raises(ClientError, match="unauthorized"):
            async with connect(server.url):
                raise AssertionError("opened")
        with pytest.raises(ClientError, match="unauthorized"):
            async with connect(server.url, key="key", secret="another-secret-of-32-characters!"):
                raise AssertionError("opened")
        secret = "a-secret-of-thirty-two-characters"
        async with connect(server.url, key="key", secret=secret) as session:
            assert (await session.close()).overlaps == 0
    with pytest.raises(ValueError, match="go together"):
        async with connect(key="key"):
            raise AssertionError("opened")


async def test_a_second_connection_joins(server: RunningServer) -> None:
    async with connect(server.url, session_id="call") as audio:
        token = audio.created.attach_token
        async with connect(server.url, session_id="call", attach=token) as agent:
            await agent.agent_started()
            await audio.send_audio(silence(1) + voice(0.5))
            await until(audio, OverlapOpened)
            await until(agent, OverlapOpened)
            await audio.close()
            await until(agent, SessionClosed)


# ---------------------------------------------------------------------------- lost connections


async def test_a_cut_connection_is_taken_up_again(relay: Relay) -> None:
    async with connect(relay.url, retry=AT_ONCE) as session:
        await session.agent_started()
        await session.send_audio(silence(1.2))
        await session.send_audio(voice(0.3))
        seen = await until(session, OverlapOpened)
        relay.cut()
        await session.send_audio(voice(0.7))
        await session.send_audio(silence(1))
        summary = await session.close()
        seen += [message async for message in session]
    numbered = [message.seq for message in seen if message.seq]
    assert numbered == list(range(1, len(numbered) + 1))
    assert relay.accepted == 2
    assert len({m.session_id for m in seen if isinstance(m, SessionCreated)}) == 1
    assert summary.overlaps == 1
    assert summary.duration_ms == session.at_ms == 3200


async def test_what_is_said_while_away_arrives_in_order(relay: Relay) -> None:
    async with connect(relay.url, retry=AT_ONCE) as session:
        await session.send_audio(silence(1))
        relay.refusing = True
        relay.cut()
        await eventually(lambda: session.state is SessionState.AWAY)
        await session.send_audio(silence(0.5))
        await session.agent_started()
        await session.gap(300)
        await session.send_audio(silence(0.7) + voice(0.5))
        await session.update(hangover_ms=250)
        relay.refusing = False
        seen = await until(session, SessionUpdated)
        summary = await session.close()
    assert any(isinstance(message, OverlapOpened) for message in seen)
    (started,) = (message for message in seen if isinstance(message, SpeechStarted))
    assert abs(started.at_ms - 2500) < 60
    assert summary.duration_ms == session.at_ms == 3000


async def test_silence_filled_in_by_the_server_is_counted_once(
    server: RunningServer, relay: Relay
) -> None:
    async with connect(relay.url, retry=AT_ONCE) as session:
        await session.agent_started()
        await session.send_audio(silence(1) + voice(0.5))
        await until(session, OverlapOpened)
        relay.refusing = True
        relay.cut()
        (entry,) = server.app.sessions
        await eventually(lambda: entry.session.at_ms > 1600)
        await session.gap(9000)
        relay.refusing = False
        await session.send_audio(silence(0.5))
        summary = await session.close()
    assert summary.duration_ms == session.at_ms == 11_000


async def test_the_agents_state_survives_a_cut_that_swallowed_it(relay: Relay) -> None:
    async with connect(relay.url, retry=AT_ONCE) as session:
        await session.send_audio(silence(1))
        await session.agent_started()
        relay.cut()
        await session.send_audio(silence(1) + voice(0.5))
        await until(session, OverlapOpened)


async def test_an_agent_that_stopped_while_away_does_not_speak_again(
    server: RunningServer, relay: Relay
) -> None:
    async with connect(relay.url, retry=AT_ONCE) as session:
        await session.agent_started()
        await session.send_audio(silence(1) + voice(0.2))
        await until(session, OverlapOpened)
        relay.refusing = True
        relay.cut()
        (entry,) = server.app.sessions
        await eventually(lambda: session.state is SessionState.AWAY)
        await session.agent_stopped()
        await eventually(lambda: entry.session.at_ms > 1300)  # it fills in silence meanwhile
        relay.refusing = False
        await eventually(lambda: session.state is SessionState.CONNECTED)
        await session.gap(2000)
        await session.send_audio(voice(1) + silence(1))
        summary = await session.close()
    assert summary.overlaps == 1


async def test_a_server_that_gives_up_on_a_silent_client_keeps_its_session() -> None:
    async with (
        running_server(ping_interval_s=0.1) as server,
        relay_to(server.url) as relay,
        connect(relay.url, session_id="call", retry=AT_ONCE) as session,
    ):
        relay.stall()
        (entry,) = server.app.sessions
        await eventually(lambda: entry.session.state is Parking.PARKED)
        relay.flow()
        await eventually(lambda: entry.session.state is Parking.LIVE)
        await session.send_audio(silence(1))
        summary = await session.close()
    assert summary.duration_ms == 1000


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that takes a socket for stalled soon."""
    monkeypatch.setattr(link, "STALLED_S", 0.3)


@pytest.mark.usefixtures("impatient")
async def test_a_network_that_takes_nothing_is_a_lost_one() -> None:
    async with (
        running_server(max_ahead_s=3600) as server,
        relay_to(server.url) as relay,
        connect(relay.url, audio=FAST, retry=AT_ONCE) as session,
    ):
        relay.stall()
        while session.state is SessionState.CONNECTED:
            await session.send_audio(memoryview(bytes(48000 * 4)).cast("f"))
        relay.flow()
        summary = await session.close()
    assert relay.accepted == 2
    assert summary.duration_ms == session.at_ms


async def test_leaving_waits_for_no_network_that_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module, name in ((link, "CLOSE_TIMEOUT_S"), (session_module, "LEAVE_TIMEOUT_S")):
        monkeypatch.setattr(module, name, 0.1)
    async with running_server(max_ahead_s=3600) as server, relay_to(server.url) as relay:
        stuck = asyncio.Event()

        async def user() -> None:
            async with connect(relay.url, audio=FAST) as session:
                relay.stall()
                while True:
                    late = asyncio.get_running_loop().call_later(0.3, stuck.set)
                    await session.send_audio(memoryview(bytes(4800 * 4)).cast("f"))
                    late.cancel()

        task = asyncio.create_task(user())
        await stuck.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    "said",
    ["404 Not Found", "502 Bad Gateway", "503 Service Unavailable", "521 Web Server Is Down"],
)
async def test_what_a_proxy_says_ends_no_session(
    server: RunningServer, relay: Relay, said: str
) -> None:
    async with connect(relay.url, session_id="call", retry=AT_ONCE) as session:
        await session.send_audio(silence(1))
        relay.answer = f"HTTP/1.1 {said}\r\nContent-Length: 0\r\n\r\n".encode()
        relay.cut()
        await relay.until_accepted(3)
        relay.answer = b""
        await eventually(lambda: session.state is SessionState.CONNECTED)
        (entry,) = server.app.sessions
        assert entry.session.session_id == "call"
        assert (await session.close()).duration_ms == 1000


async def test_a_session_that_is_gone_begins_anew() -> None:
    async with running_server(resume_window_s=0) as server, relay_to(server.url) as relay:
        async with connect(relay.url, retry=AT_ONCE) as session:
            first = session.session_id
            await session.update(hangover_ms=333)
            await session.agent_started()
            await session.send_audio(silence(1))
            await until(session, SessionUpdated)
            relay.cut()
            seen = await until(session, SessionCreated)
            assert session.session_id != first
            assert session.created.options.hangover_ms == 333
            await session.send_audio(silence(0.8) + voice(0.4))
            seen = await until(session, OverlapOpened)
            assert seen[-1].seq > 0
            summary = await session.close()
        assert 1200 <= summary.duration_ms <= 1300


async def test_a_restarted_server_gets_a_new_session(server: RunningServer, relay: Relay) -> None:
    async with connect(relay.url, session_id="call", retry=AT_ONCE) as session:
        await session.agent_started()
        await session.send_audio(silence(1))
        async with running_server() as successor:
            relay.lead_to(successor.url)
            await session.update(hangover_ms=333)
            server.app.sessions.end_all(ErrorCode.SHUTTING_DOWN)  # before it has read the update
            seen = await until(session, SessionClosed)
            seen += await until(session, SessionCreated)
            assert [m.code for m in seen if isinstance(m, Error)] == ["shutting_down"]
            *_, updated = await until(session, SessionUpdated)
            assert isinstance(updated, SessionUpdated)
            assert updated.options.hangover_ms == 333
            await session.send_audio(silence(0.5) + voice(0.5))
            await until(session, OverlapOpened)
            summary = await session.close()
    assert summary.overlaps == 1


async def test_what_was_begun_anew_is_resumed_at_its_own_moment(
    server: RunningServer, relay: Relay
) -> None:
    async with connect(relay.url, session_id="call", retry=AT_ONCE) as session:
        await session.agent_started()
        await session.gap(60_000)
        async with running_server() as successor:
            relay.lead_to(successor.url)
            server.app.sessions.end_all(ErrorCode.SHUTTING_DOWN)
            await until(session, SessionClosed)
            await until(session, SessionCreated)
            await session.send_audio(silence(1))
            await session.update(hangover_ms=250)
            await until(session, SessionUpdated)
            relay.cut()
            await until(session, SessionCreated)
            summary = await session.close()
    assert summary.duration_ms == session.at_ms == 1000


async def test_a_session_begun_anew_that_breaks_at_once_is_resumed(relay: Relay) -> None:
    async with connect(relay.url, session_id="call", audio=FAST, retry=AT_ONCE) as session:
        relay.refusing = True
        relay.cut()
        await eventually(lambda: session.state is SessionState.AWAY)
        await session.send_audio(memoryview(bytes(9 * 48000 * 4)).cast("f"))
        async with running_server(max_ahead_s=3600) as successor:
            relay.lead_to(successor.url)
            relay.cut_after(2, b"session.created")  # the first is told that its session is gone
            relay.refusing = False
            await eventually(lambda: relay.accepted == 4)
            summary = await session.close()
    assert summary.duration_ms == session.at_ms == 9000


async def test_a_session_that_the_server_ends_is_raised() -> None:
    async with (
        running_server(max_duration_s=0.05) as server,
        connect(server.url, retry=AT_ONCE) as session,
    ):
        with pytest.raises(ClientError, match="session_too_long"):
            await read_on(session)
        with pytest.raises(ClientError, match="session_too_long"):
            await session.send_audio(silence(0.1))


async def test_it_gives_up_after_the_last_attempt(relay: Relay) -> None:
    async with connect(relay.url, retry=Backoff(first_s=0.001, attempts=3)) as session:
        relay.refusing = True
        relay.cut()
        with pytest.raises(NetworkError, match="connection_lost"):
            await read_on(session)
        assert session.state is SessionState.OVER
        with pytest.raises(NetworkError):
            await session.close()


async def test_no_reconnect_if_none_is_wanted(relay: Relay) -> None:
    async with connect(relay.url, retry=Backoff(attempts=0)) as session:
        relay.cut()
        with pytest.raises(NetworkError):
            await read_on(session)
    assert relay.accepted == 1


async def test_a_failure_that_nobody_saw_is_raised_on_leaving(relay: Relay) -> None:
    session = None
    with pytest.raises(NetworkError):  # noqa: PT012 – the block is what raises
        async with connect(relay.url, retry=Backoff(attempts=0)) as session:
            relay.cut()
            await eventually(lambda: session.state is SessionState.OVER)
    assert session is not None


async def test_being_replaced_is_final(server: RunningServer) -> None:
    async with connect(server.url, session_id="call", retry=AT_ONCE) as first:
        resume = Resume(token=first.created.resume_token)
        async with plain(server.session_url) as other:
            await other.send(encode(SessionCreate(session_id="call", resume=resume)).decode())
            with pytest.raises(ClientError) as caught:
                await until(first, SessionClosed)
            assert caught.value.code is ErrorCode.REPLACED
            with pytest.raises(ClientError):
                await first.agent_started()
            with pytest.raises(ClientError):
                await first.close()
            assert first.state is SessionState.OVER
