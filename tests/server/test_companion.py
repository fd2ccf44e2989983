"""The HTTP companion port."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from support.peer import Peer, peer
from support.server import RunningServer
from support.sounds import silence, voice


@pytest.fixture
async def http(server: RunningServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.http_url) as http:
        yield http


async def test_health(http: aiohttp.ClientSession) -> None:
    for path in ("/healthz", "/readyz"):
        async with http.get(path) as response:
            assert response.status == 200


async def test_metrics_count_what_happens(
    server: RunningServer, client: Peer, http: aiohttp.ClientSession
) -> None:
    await client.create()
    await client.say("agent.started", at_ms=0)
    await client.play(silence(1.5) + voice(0.4))
    await client.wait_for("interruption")
    await client.say("nonsense")
    await client.wait_for("error")
    async with http.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain")
        text = await response.text()
    for line in (
        "bargein_sessions 1.0",
        "bargein_connections 1.0",
        "bargein_sessions_started_total 1.0",
        "bargein_overlaps_total 1.0",
        'bargein_verdicts_total{kind="interruption",reason="",source="model"} 1.0',
        "bargein_prediction_seconds_count 1.0",
        "bargein_server_delay_seconds_count 1.0",
        'bargein_errors_total{code="unknown_type"} 1.0',
    ):
        assert f"\n{line}\n" in text
    await client.say("session.close")
    await client.close_code()
    await server.app.services.census.empty()
    async with http.get("/metrics") as response:
        text = await response.text()
    assert "\nbargein_sessions 0.0\n" in text
    assert 'bargein_sessions_ended_total{cause="closed"} 1.0' in text


async def test_the_list_shows_the_last_verdict(
    server: RunningServer, client: Peer, http: aiohttp.ClientSession
) -> None:
    await client.create()
    await client.say("agent.started", at_ms=0)
    await client.play(silence(1.5) + voice(0.4))
    verdict = await client.wait_for("interruption")
    async with http.get("/v1/sessions") as response:
        (session,) = (await response.json())["sessions"]
    assert session["last_verdict"] == verdict
    async with peer(server.session_url), http.get("/v1/sessions") as response:
        assert len((await response.json())["sessions"]) == 1  # who has said nothing is none


async def test_without_keys_tokens_are_given_and_accepted(
    server: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with http.post("/v1/tokens", json={"session_id": "a"}) as response:
        token = (await response.json())["token"]
    async with peer(f"{server.session_url}?access_token={token}") as client:
        await client.create(session_id="a")
