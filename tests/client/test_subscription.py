"""Following events: nothing missing, nothing twice, through lost connections and restarts."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from bargein_client import Backoff, ClientError, NetworkError, SessionEvent, connect, subscribe
from bargein_client.subscription import Followed
from bargein_protocol.messages import Missed, SessionClosed, SessionCreated, SpeechStarted
from support.relay import relay_to
from support.server import RunningServer, running_server, until
from support.sounds import silence, voice

AT_ONCE = Backoff(first_s=0.001, most_s=0.002, attempts=100_000)


@pytest.fixture
async def server() -> AsyncIterator[RunningServer]:
    async with running_server() as running:
        yield running


async def hold_a_session(server: RunningServer, session_id: str) -> int:
    """Hold a short session; how many messages it had."""
    async with connect(server.url, session_id=session_id, metadata={"n": session_id}) as session:
        await session.send_audio(silence(0.5) + voice(0.3) + silence(0.6))
        await session.close()
        return len([message async for message in session])


async def closings(events: AsyncIterator[Followed], sessions: int) -> list[SessionEvent]:
    """Everything up to the end of so many sessions."""
    seen: list[SessionEvent] = []
    async for event in events:
        assert isinstance(event, SessionEvent)
        seen.append(event)
        sessions -= isinstance(event.message, SessionClosed)
        if not sessions:
            return seen
    raise AssertionError("the events ended")


async def test_what_sessions_said_is_read_from_the_start(server: RunningServer) -> None:
    count = await hold_a_session(server, "one") + await hold_a_session(server, "two")
    async with subscribe(server.url, after=0) as events:
        seen = await closings(events, 2)
    assert [event.seq for event in seen] == list(range(1, count + 1))
    assert [event.session_id for event in seen if isinstance(event.message, SessionCreated)] == [
        "one", "two",
    ]  # fmt: skip
    assert seen[0].metadata == {"n": "one"}
    assert isinstance(seen[0].message, SessionCreated)
    assert seen[0].message.resume_token == ""


async def test_one_session_and_some_types_only(server: RunningServer) -> None:
    for name in ("one", "two"):
        await hold_a_session(server, name)
    types = ("speech.started", "session.closed")
    async with subscribe(server.url, session="two", types=types, after=0) as events:
        seen = await closings(events, 1)
    assert {event.session_id for event in seen} == {"two"}
    assert [type(event.message) for event in seen] == [SpeechStarted, SessionClosed]


async def test_cuts_make_neither_hole_nor_repeat(server: RunningServer) -> None:
    async with relay_to(server.url) as relay:
        seen: list[SessionEvent] = []
        async with subscribe(relay.url, after=0, retry=AT_ONCE) as events:
            count = 0
            for number in range(4):
                count += await hold_a_session(server, f"s{number}")
                seen += await closings(events, 1)
                relay.cut()
        assert [event.seq for event in seen] == list(range(1, count + 1))
        assert relay.accepted == 4


async def test_attempts_are_counted_from_the_last_connection(server: RunningServer) -> None:
    begun: list[None] = []

    class Few(Backoff):
        def waits_s(self) -> Iterator[float]:
            begun.append(None)
            return iter((0.001, 0.001))

    async def connections(count: int) -> None:
        await until(lambda: len(begun) == 1 + count)

    async with relay_to(server.url) as relay, subscribe(relay.url, retry=Few()) as events:
        first = asyncio.ensure_future(anext(events))
        for number in range(1, 6):  # nothing is said meanwhile
            await connections(number)
            relay.cut()
        await connections(6)
        await hold_a_session(server, "one")
        assert isinstance(await first, SessionEvent)


async def test_a_restarted_server_is_read_from_its_first_event() -> None:
    async with running_server() as first, relay_to(first.url) as relay:
        await hold_a_session(first, "before")
        async with subscribe(relay.url, after=0, retry=AT_ONCE) as events:
            await closings(events, 1)
            async with running_server() as second:
                await hold_a_session(second, "after")
                relay.lead_to(second.url)
                relay.cut()
                seen = await closings(events, 1)
    assert {event.session_id for event in seen} == {"after"}
    assert seen[0].seq == 1


async def test_what_the_log_lost_is_told() -> None:
    async with running_server(event_log_count=3) as server:
        count = await hold_a_session(server, "long-ago")
        async with subscribe(server.url, after=0) as events:
            first = await anext(events)
    assert first == Missed(count=count - 3, seq=count - 3)


async def test_only_news_without_a_place(server: RunningServer) -> None:
    await hold_a_session(server, "old")
    async with subscribe(server.url) as events, asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(closings(events, 1))
        while not reading.done():
            await hold_a_session(server, "new")
    assert {event.session_id for event in reading.result()} == {"new"}


async def test_refusals_are_raised() -> None:
    async with (
        running_server(keys={"key": "a-secret-of-thirty-two-characters"}) as server,
        subscribe(server.url, retry=AT_ONCE) as events,
    ):
        with pytest.raises(ClientError, match="unauthorized"):
            await anext(events)


async def test_a_server_that_never_answered_is_not_waited_for() -> None:
    async with subscribe("ws://127.0.0.1:1", retry=AT_ONCE) as events:
        with pytest.raises(NetworkError):
            await anext(events)
