"""Subscribers of /v1/events: what they see, in order, without a hole."""

import asyncio

import pytest
from bargein_server.models.predictor import Predictor
from bargein_server.observing.event_log import EventLog
from support.peer import Peer, peer
from support.server import RunningServer, running_server
from support.sounds import silence, voice


async def test_events_are_what_the_client_got_without_its_tokens(
    server: RunningServer, client: Peer
) -> None:
    async with peer(server.events_url) as watcher:
        assert await watcher.hear() == {
            "type": "subscribed",
            "log_id": server.app.services.event_log.log_id,
            "seq": 0,
        }
        created = await client.create(session_id="one", metadata={"room": "12"})
        await client.say("agent.started", at_ms=0)
        await client.play(silence(1.5) + voice(0.4))
        verdict = await client.wait_for("interruption")
        opened = await watcher.hear()
        assert (opened["session_id"], opened["seq"]) == ("one", 1)
        assert opened["metadata"] == {"room": "12"}
        assert opened["event"] == created | {"resume_token": "", "attach_token": ""}
        while (heard := await watcher.hear())["event"]["type"] != "interruption":
            pass
        assert heard["event"] == verdict
        assert "metadata" not in heard


async def test_after_goes_on_without_a_hole_or_a_repeat(
    server: RunningServer, client: Peer
) -> None:
    await client.create()
    for _ in range(200):
        await client.websocket.send("?")
        await client.hear()
    async with peer(f"{server.events_url}?after=50") as watcher:
        await watcher.hear()
        heard = [await watcher.hear() for _ in range(151)]
        assert [message["seq"] for message in heard] == list(range(51, 202))
        await client.websocket.send("?")
        assert (await watcher.hear())["seq"] == 202


async def test_one_session_and_some_types(server: RunningServer) -> None:
    url = f"{server.events_url}?session=b&types=session.created,session.closed"
    async with peer(url) as watcher, peer(server.session_url) as a, peer(server.session_url) as b:
        await watcher.hear()
        await a.create(session_id="a")
        await b.create(session_id="b")
        await b.websocket.send("?")
        await b.say("session.close")
        heard = [await watcher.hear(), await watcher.hear()]
        assert [m["session_id"] for m in heard] == ["b", "b"]
        assert [m["event"]["type"] for m in heard] == ["session.created", "session.closed"]


async def test_a_late_subscriber_is_told_what_it_missed(predictor: Predictor) -> None:
    async with (
        running_server(predictor=predictor, event_log_count=10) as server,
        peer(server.session_url) as client,
    ):
        await client.create()
        for _ in range(99):
            await client.websocket.send("?")
            await client.hear()
        async with peer(f"{server.events_url}?after=20") as watcher:
            await watcher.hear()
            assert await watcher.hear() == {"type": "missed", "count": 70, "seq": 90}
            assert (await watcher.hear())["seq"] == 91


async def test_a_reader_that_does_not_read_slows_nobody(predictor: Predictor) -> None:
    async with (
        running_server(predictor=predictor, event_log_count=100) as server,
        peer(server.session_url) as client,
        peer(server.events_url, max_queue=1) as watcher,
    ):
        await watcher.hear()
        watcher.websocket.transport.pause_reading()
        await client.create()
        log = server.app.services.event_log
        for _ in range(2000):  # more than sockets hold
            log.add("", "busy", "noise", b'"%s"' % (b"x" * 10_000))
            await asyncio.sleep(0)
        await client.say("nonsense")
        assert (await client.hear())["type"] == "error"
        watcher.websocket.transport.resume_reading()
        seqs: list[int] = []
        missed = 0
        while not seqs or seqs[-1] < 2002:
            message = await watcher.hear()
            if message["type"] == "missed":
                missed += message["count"]
            else:
                seqs.append(message["seq"])
        assert missed > 0
        assert len(seqs) + missed == 2002
        assert seqs == sorted(set(seqs))


async def test_a_bad_query_is_refused(server: RunningServer) -> None:
    with pytest.raises(Exception, match="400"):
        async with peer(f"{server.events_url}?after=yesterday"):
            pass


async def test_a_place_in_another_log_gets_the_news(server: RunningServer, client: Peer) -> None:
    async with peer(f"{server.events_url}?after=5000") as watcher:
        assert (await watcher.hear())["seq"] == 0
        await client.create()
        assert (await watcher.hear())["seq"] == 1


def test_log_keeps_what_bytes_allow() -> None:
    log = EventLog(max_events=1000, max_bytes=1000)
    for _ in range(100):
        log.add("", "s", "t", b'{"type":"t"}')
    read = log.read(0, 1000)
    assert sum(len(entry.envelope) for entry in read.entries) <= 1000
    assert read.missed + len(read.entries) == 100
    assert read.entries[0].seq == read.missed + 1


def test_log_reads_in_batches() -> None:
    log = EventLog(max_events=10, max_bytes=10_000)
    for _ in range(10):
        log.add("", "s", "t", b"{}")
    assert [entry.seq for entry in log.read(3, 2).entries] == [4, 5]
    assert log.read(10, 5).entries == []
