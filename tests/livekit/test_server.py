"""The dialect on a real server's ports: paths, tokens, windows, labels, closing, draining."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
import jwt
import pytest
import websockets
from bargein_server.livekit import links
from bargein_server.models.onnx import OnnxModel
from bargein_server.models.predictor import Predictor
from prometheus_client.parser import text_string_to_metric_families
from support.models import GatedModel
from support.server import RunningServer, running_server
from support.sounds import growing, silence, voice
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

CREATE: dict[str, Any] = {
    "type": "session.create",
    "settings": {"sample_rate": 16000, "num_channels": 1, "min_frames": 2, "encoding": "s16le"},
}
CLOSE = {"type": "session.close"}
WINDOWS = growing(silence(1.0) + voice(1.0), first_s=1.1)
KEYS = {"devkey": "secret-that-is-long-enough-for-hs256"}


def token(key: str = "devkey", *, secret: str | None = None, **claims: Any) -> str:
    now = int(time.time())
    body = {
        "inference": {"perform": True},
        "sub": "agent",
        "iss": key,
        "nbf": now,
        "exp": now + 600,
    } | claims
    return jwt.encode(body, secret or KEYS["devkey"], algorithm="HS256")


class Agent:
    """A client that speaks the dialect word by word."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, message: dict[str, Any]) -> None:
        await self.socket.send(json.dumps(message))

    async def ask(self, created_at: int, pcm: bytes) -> None:
        await self.socket.send(created_at.to_bytes(8, "little") + pcm)

    async def hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(await self.socket.recv())
        return heard

    async def rest(self) -> list[dict[str, Any]]:
        """What comes until the server closes."""
        said: list[dict[str, Any]] = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                said.append(await self.hear())
        return said


class Connect(Protocol):
    """Connects an agent to a server."""

    def __call__(self, server: RunningServer, **options: Any) -> Awaitable[Agent]: ...


@pytest.fixture
async def http() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(params=["main port", "HTTP port"])
async def connect(request: pytest.FixtureRequest) -> AsyncGenerator[Connect]:
    """Connects an agent, to either port."""
    sockets = contextlib.AsyncExitStack()

    async def connect(
        server: RunningServer, *, path: str = "/v1/bargein", bearer: str = "any", **headers: str
    ) -> Agent:
        base = server.url if request.param == "main port" else server.http_url
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Authorization"] = f"Bearer {bearer}"
        url = base.replace("http", "ws", 1) + path
        return Agent(
            await sockets.enter_async_context(websockets.connect(url, additional_headers=named))
        )

    async with sockets:
        yield connect


@asynccontextmanager
async def serving(model: Any, **settings: Any) -> AsyncGenerator[RunningServer]:
    async with (
        Predictor(model) as predictor,
        running_server(predictor=predictor, **settings) as server,
    ):
        yield server


@pytest.fixture
async def server(tiny: OnnxModel) -> AsyncGenerator[RunningServer]:
    async with serving(tiny) as server:
        yield server


async def metrics(server: RunningServer, http: aiohttp.ClientSession) -> dict[str, float]:
    async with http.get(f"{server.http_url}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
        samples = [sample for family in families for sample in family.samples]
    return {
        " ".join([s.name.removeprefix("bargein_livekit_"), *s.labels.values()]): s.value
        for s in samples
        if s.name.startswith("bargein_livekit_")
    }


@pytest.mark.parametrize("path", ["/bargein", "/v1/bargein", "//bargein", "/a/b/bargein?x=1"])
async def test_any_base_url_is_right(connect: Connect, server: RunningServer, path: str) -> None:
    agent = await connect(server, path=path)
    await agent.say(CREATE)
    assert await agent.hear() == {"type": "session.created", "default_threshold": 0.4}


async def test_every_window_is_answered_and_the_last_word_is_closed(
    connect: Connect, server: RunningServer
) -> None:
    agent = await connect(server)
    names = [0, 2**53 + 1, 2**64 - 1, 2**64 - 1, *range(1, len(WINDOWS) - 3)]
    await agent.say(CREATE)
    for name, pcm in zip(names, WINDOWS, strict=True):
        await agent.ask(name, pcm)
    await agent.say(CLOSE)
    created, *answers, closed = await agent.rest()
    assert created["type"] == "session.created"
    assert closed == {"type": "session.closed"}
    assert agent.socket.close_code == 1000
    assert sorted(answer["created_at"] for answer in answers) == sorted(names)
    last = next(answer for answer in answers if answer["created_at"] == names[-1])
    assert last["type"] == "bargein_detected"
    assert len(last["probabilities"]) == len(WINDOWS[-1]) // 800
    assert {answer["type"] for answer in answers} <= {"inference_done", "bargein_detected"}


async def test_the_clients_threshold_counts_and_else_the_servers(
    connect: Connect, tiny: OnnxModel
) -> None:
    async def verdict(server: RunningServer, **settings: Any) -> str:
        agent = await connect(server)
        await agent.say({**CREATE, "settings": CREATE["settings"] | settings})
        await agent.ask(1, WINDOWS[-1])
        await agent.hear()
        said: str = (await agent.hear())["type"]
        return said

    async with serving(tiny) as server:
        assert await verdict(server) == "bargein_detected"
        assert await verdict(server, threshold=0.999) == "inference_done"
        assert await verdict(server, threshold=0) == "bargein_detected"
        assert await verdict(server, min_frames=120) == "inference_done"


async def test_an_error_has_all_fields_and_the_session_goes_on(
    connect: Connect, server: RunningServer
) -> None:
    agent = await connect(server)
    for broken in ({"type": "hello"}, CREATE | {"settings": {"sample_rate": 8000}}):
        await agent.say(broken)
        error = await agent.hear()
        assert {name: type(value) for name, value in error.items()} == {
            "type": str,
            "message": str,
            "code": int,
            "session_id": str,
        }
    await agent.say(CREATE)
    assert (await agent.hear())["type"] == "session.created"
    await agent.ask(7, WINDOWS[0][:-1])
    assert (await agent.hear())["code"] == 400
    await agent.ask(8, WINDOWS[0])
    assert (await agent.hear())["created_at"] == 8


@pytest.mark.parametrize(
    ("bearer", "status", "text"),
    [
        ("nonsense", 401, "no JSON web token"),
        (token("other"), 401, "'other'"),
        (token(secret="x" * 40), 401, "'devkey'"),
        (token(exp=1), 401, "'devkey'"),
        (token(inference={"perform": False}), 403, "'devkey'"),
    ],
)
async def test_tokens_are_checked_as_livekit_does(
    connect: Connect, tiny: OnnxModel, bearer: str, status: int, text: str
) -> None:
    async with serving(tiny, keys=KEYS) as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(server, bearer=bearer)
        assert refused.value.response.status_code == status
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {bearer}"}) as session,
            session.post(f"{server.http_url}/bargein?created_at=1", data=WINDOWS[0]) as response,
        ):
            assert response.status == status
            said = await response.text()
            assert text in said
            assert bearer not in said
        agent = await connect(server, bearer=token())
        await agent.say(CREATE)
        assert (await agent.hear())["type"] == "session.created"


async def test_compression_is_declined(connect: Connect, server: RunningServer) -> None:
    agent = await connect(server)
    assert agent.socket.request is not None
    assert "permessage-deflate" in agent.socket.request.headers["Sec-WebSocket-Extensions"]
    assert agent.socket.protocol.extensions == []


@pytest.mark.parametrize("path", ["/bargein", "/v1/bargein"])
async def test_older_clients_post_one_window_at_a_time(
    http: aiohttp.ClientSession, server: RunningServer, path: str
) -> None:
    async def post(query: str, pcm: bytes) -> tuple[int, Any]:
        url = f"{server.http_url}{path}?{query}"
        async with http.post(url, data=pcm, headers={"Authorization": "Bearer x"}) as response:
            text = await response.text()
            return response.status, json.loads(text) if response.status == 200 else text

    status, answer = await post(f"threshold=0.5&min_frames=2&created_at={2**64 - 1}", WINDOWS[-1])
    assert (status, answer["created_at"], answer["is_bargein"]) == (200, 2**64 - 1, True)
    assert len(answer["probabilities"]) == len(WINDOWS[-1]) // 800
    _, answer = await post("threshold=0.999&min_frames=2&created_at=0", WINDOWS[-1])
    assert (answer["created_at"], answer["is_bargein"]) == (0, False)
    for query in ("", "created_at=-1", f"created_at={2**64}", "created_at=1&threshold=2"):
        assert (await post(query, WINDOWS[0]))[0] == 400
    assert (await post("created_at=1", bytes(2 * 48_001)))[0] == 413


async def test_the_operator_sees_who_asks_and_what_came_of_it(
    connect: Connect,
    http: aiohttp.ClientSession,
    server: RunningServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    agent = await connect(
        server,
        X_LiveKit_Room_Id="RM_1",
        X_LiveKit_Agent_ID="PA_2",
        X_LiveKit_Worker_Token="do-not-show",
    )
    await agent.say(CREATE)
    await agent.hear()
    for number, pcm in enumerate([WINDOWS[-1], bytes(32_000), b"\xff\x7f" * 16_000]):
        await agent.ask(number, pcm)
        await agent.hear()
    async with http.get(f"{server.http_url}/v1/livekit/sessions") as response:
        text = await response.text()
    (session,) = json.loads(text)["sessions"]
    assert (session["room"], session["agent"], session["windows"]) == ("RM_1", "PA_2", 3)
    assert session["flagged"] == {"all_zero_audio": 1, "clipped_audio": 1, "dc_offset": 1}
    counted = await metrics(server, http)
    assert counted["sessions"] == 1
    assert (counted["windows_total model"], counted["windows_total silence"]) == (2, 1)
    assert counted["flagged_windows_total clipped_audio"] == 1
    assert counted["answer_seconds_count"] == 3
    await agent.say(CLOSE)
    await agent.rest()
    assert "adaptive interruption is on" in caplog.text
    assert "room='RM_1' agent='PA_2'" in caplog.text
    assert "3 windows" in caplog.text
    assert "do-not-show" not in caplog.text + text


@pytest.mark.parametrize("abrupt", [True, False])
async def test_clients_may_go_at_any_moment(
    connect: Connect, http: aiohttp.ClientSession, tiny: OnnxModel, *, abrupt: bool
) -> None:
    gated = GatedModel(tiny)
    async with serving(gated) as server:
        agent = await connect(server)
        await agent.say(CREATE)
        await agent.hear()
        await agent.ask(1, WINDOWS[0])
        await gated.begun()
        if abrupt:
            agent.socket.transport.abort()
        else:
            await agent.say(CLOSE)
            await agent.socket.close()
        await server.app.services.census.empty()
        gated.let_go()
        assert (await metrics(server, http))["sessions"] == 0


async def test_a_client_that_reads_no_answers_is_left(
    connect: Connect, tiny: OnnxModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "CLOSE_TIMEOUT_S", 0.1)
    async with serving(tiny, ping_interval_s=0.2) as server:
        agent = await connect(server)
        await agent.say(CREATE)
        await agent.hear()
        agent.socket.transport.pause_reading()

        async def ask_and_ask() -> None:
            while True:
                await agent.ask(1, bytes(80))

        asking = asyncio.create_task(ask_and_ask())
        await server.app.services.census.empty()
        agent.socket.transport.abort()
        with pytest.raises(ConnectionClosed):
            await asking
        async with aiohttp.request("GET", f"{server.http_url}/v1/livekit/sessions") as response:
            assert await response.json() == {"sessions": []}


async def test_a_draining_server_keeps_old_sessions_and_refuses_new_ones(
    connect: Connect, tiny: OnnxModel
) -> None:
    async with serving(tiny) as server:
        agent = await connect(server)
        await agent.say(CREATE)
        await agent.hear()
        draining = asyncio.create_task(server.app.drain(asyncio.Event()))
        await asyncio.sleep(0)
        with pytest.raises((InvalidStatus, OSError)):
            await connect(server)
        for number, pcm in enumerate(WINDOWS):
            await agent.ask(number, pcm)
            assert (await agent.hear())["created_at"] == number
        assert not draining.done()
        await agent.say(CLOSE)
        assert (await agent.rest())[-1] == {"type": "session.closed"}
        await draining


async def test_a_draining_server_still_answers_posts_but_keeps_no_connection(
    http: aiohttp.ClientSession, tiny: OnnxModel
) -> None:
    async with serving(tiny) as server:
        url = f"{server.http_url}/bargein?created_at=1"
        async with http.post(url, data=WINDOWS[0]) as response:
            assert "Connection" not in response.headers
        await server.app.drain(asyncio.Event())
        async with http.post(url, data=WINDOWS[0]) as response:
            assert (await response.json())["created_at"] == 1
            assert response.headers["Connection"] == "close"


async def test_a_full_server_turns_away(connect: Connect, tiny: OnnxModel) -> None:
    async with serving(tiny, max_sessions=1) as server:
        agent = await connect(server)
        await agent.say(CREATE)
        await agent.hear()
        with pytest.raises((InvalidStatus, ConnectionClosed)) as turned_away:
            await (await connect(server)).hear()
        assert any(code in str(turned_away.value) for code in ("503", "1013"))
        await agent.say(CLOSE)
        await agent.rest()
        await server.app.services.census.empty()
        third = await connect(server)
        await third.say(CREATE)
        assert (await third.hear())["type"] == "session.created"


async def test_only_the_keys_owner_sees_the_sessions(
    connect: Connect, http: aiohttp.ClientSession, tiny: OnnxModel
) -> None:
    other = "another-secret-that-is-long-enough-for-hs256"
    async with serving(tiny, keys=KEYS | {"other": other}) as server:
        agent = await connect(server, bearer=token())
        await agent.say(CREATE)
        await agent.hear()

        async def seen(user: str, secret: str) -> int:
            url = f"{server.http_url}/v1/livekit/sessions"
            basic = {"Authorization": aiohttp.encode_basic_auth(user, secret)}
            async with http.get(url, headers=basic) as response:
                return len((await response.json())["sessions"])

        assert await seen("devkey", KEYS["devkey"]) == 1
        assert await seen("other", other) == 0
        bearer = {"Authorization": f"Bearer {token()}"}
        async with http.get(f"{server.http_url}/v1/livekit/sessions", headers=bearer) as refused:
            assert refused.status == 403
            assert "does not allow events" in await refused.text()


async def test_a_server_that_stops_says_so(connect: Connect, tiny: OnnxModel) -> None:
    async with serving(tiny) as server:
        agent = await connect(server)
        await agent.say(CREATE)
        await agent.hear()
    assert await agent.rest() == []
    assert agent.socket.close_code == 1012
