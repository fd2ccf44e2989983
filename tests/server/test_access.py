"""Who is let in, where, and what the server says to those who are not."""

import time
from typing import Any

import aiohttp
import jwt
import pytest
from bargein_server.models.predictor import Predictor
from bargein_server.serving.auth import EVERYTHING, AuthError, Authority, Grant
from bargein_server.serving.origins import is_own_host, may_connect
from support.peer import peer
from support.server import RunningServer, running_server
from websockets.exceptions import InvalidStatus

KEYS = {"key": "a-secret-of-at-least-32-bytes-or-so", "other": "another-secret-of-32-bytes-or-more"}


def token(key: str = "key", *, secret: str | None = None, **claims: Any) -> str:
    now = int(time.time())
    content = {"iss": key, "nbf": now, "exp": now + 7200} | claims  # made when tests are collected
    return jwt.encode(content, secret or KEYS[key], algorithm="HS256")


def header(text: str) -> dict[str, Any]:
    return {"additional_headers": {"Authorization": f"Bearer {text}"}}


@pytest.fixture
async def guarded(predictor: Predictor) -> Any:
    async with running_server(predictor=predictor, keys=KEYS) as server:
        yield server


@pytest.mark.parametrize(
    ("claims", "session_id"),
    [
        ({"bargein": {"session": True}}, "any"),
        ({"bargein": {"session": "mine"}}, "mine"),
        ({"inference": {"perform": True}, "sub": "agent"}, "any"),
    ],
)
async def test_a_token_opens_a_session(
    guarded: RunningServer, claims: dict[str, Any], session_id: str
) -> None:
    async with peer(guarded.session_url, **header(token(**claims))) as client:
        assert (await client.create(session_id=session_id))["session_id"] == session_id


async def test_a_browser_says_its_token_in_the_address(guarded: RunningServer) -> None:
    mine = token(bargein={"session": "mine"})
    async with peer(f"{guarded.session_url}?access_token={mine}") as client:
        assert (await client.create())["session_id"] == "mine"


async def test_a_token_for_one_session_opens_no_other(guarded: RunningServer) -> None:
    mine = token(bargein={"session": "mine"})
    async with peer(guarded.session_url, **header(mine)) as client:
        await client.say("session.create", session_id="yours")
        assert (await client.hear())["code"] == "forbidden"
        assert await client.close_code() == 4403


@pytest.mark.parametrize("name", ["team/42", "../evil", "x" * 200])
async def test_a_token_for_what_is_no_session_name_opens_none(
    guarded: RunningServer, name: str
) -> None:
    async with peer(guarded.session_url, **header(token(bargein={"session": name}))) as client:
        await client.say("session.create")
        error = await client.hear()
        assert (error["code"], error["fatal"]) == ("forbidden", True)
        assert name in error["message"]
    assert len(guarded.app.sessions) == 0


@pytest.mark.parametrize(
    ("bad", "status", "words"),
    [
        (token(secret="x" * 32), 401, "'key'"),
        (token("key", iss="nobody", secret="x" * 32), 401, "'nobody'"),
        (token(exp=int(time.time()) - 100, bargein={"session": True}), 401, "expired"),
        (token(nbf=int(time.time()) + 3600, bargein={"session": True}), 401, "not yet valid"),
        (jwt.encode({"iss": "key"}, KEYS["key"]), 401, "exp"),
        ("nonsense", 401, "no JSON web token"),
        ("töken", 401, "no JSON web token"),
        (token(), 403, "does not allow /v1/session"),
        (token(bargein={"events": True}), 403, "does not allow /v1/session"),
        (token(bargein={"session": False}), 403, "does not allow /v1/session"),
        (token(inference={"perform": False}), 403, "does not allow /v1/session"),
    ],
)
async def test_bad_tokens(guarded: RunningServer, bad: str, status: int, words: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with peer(guarded.session_url, **header(bad)):
            pass
    response = refused.value.response
    assert response.status_code == status
    assert words in response.body.decode()
    assert bad not in response.body.decode()


async def test_no_token(guarded: RunningServer) -> None:
    with pytest.raises(InvalidStatus, match="401"):
        async with peer(guarded.session_url):
            pass


def test_clocks_may_differ() -> None:
    late = token(exp=int(time.time()) - 10, bargein={"session": True})
    assert Authority(KEYS, leeway_s=30).grant(f"Bearer {late}", None).session is True
    with pytest.raises(AuthError, match="expired"):
        Authority(KEYS, leeway_s=1).grant(f"Bearer {late}", None)


def test_other_algorithms_are_no_way_in() -> None:
    unsigned = jwt.encode({"iss": "key", "exp": 1 << 40}, None, algorithm="none")
    with pytest.raises(AuthError, match="not valid"):
        Authority(KEYS).grant(f"Bearer {unsigned}", None)


def test_a_keys_name_may_be_long() -> None:
    keys = {"k" * 100: KEYS["key"]}
    long = token("key", iss="k" * 100, bargein={"session": True})
    assert Authority(keys).grant(f"Bearer {long}", None).issuer == "k" * 100


def test_a_secret_of_other_letters_is_no_way_in() -> None:
    with pytest.raises(AuthError, match="KEY:SECRET"):
        Authority(KEYS).grant("Basic kéy", None)


def test_without_keys_everything_is_allowed() -> None:
    assert Authority({}).grant(None, None) == EVERYTHING


async def test_events_are_ones_own(guarded: RunningServer) -> None:
    all_events = header(token(bargein={"events": True}))
    one = header(token(bargein={"events": "a"}))
    foreign = header(token("other", bargein={"session": True}))
    mine = header(token(bargein={"session": True}))
    async with (
        peer(guarded.events_url, **all_events) as everything,
        peer(guarded.events_url, **one) as only_a,
        peer(guarded.session_url, **foreign) as stranger,
        peer(guarded.session_url, **mine) as client_b,
        peer(guarded.session_url, **mine) as client_a,
    ):
        await everything.hear()
        await only_a.hear()
        await stranger.create(session_id="x")
        await client_b.create(session_id="b")
        await client_a.create(session_id="a")
        assert [(await everything.hear())["session_id"] for _ in range(2)] == ["b", "a"]
        assert (await only_a.hear())["session_id"] == "a"


async def test_a_backend_makes_tokens_for_its_browsers(guarded: RunningServer) -> None:
    backend = token(bargein={"tokens": True})
    wanted = {"session_id": "mine", "events": True, "ttl_s": 60}
    async with aiohttp.ClientSession(guarded.http_url) as http:
        bearer = {"Authorization": f"Bearer {backend}"}
        async with http.post("/v1/tokens", json=wanted, headers=bearer) as response:
            assert response.status == 200
            made = await response.json()
        async with http.post(
            "/v1/tokens", json=wanted, headers={"Authorization": f"Bearer {made['token']}"}
        ) as response:
            assert response.status == 403  # what a browser holds makes no further ones
        async with http.post("/v1/tokens", json={"ttl_s": 4000}, headers=bearer) as response:
            assert (response.status, "3600" in await response.text()) == (400, True)
        async with http.post("/v1/tokens", json={"ttl": 40}, headers=bearer) as response:
            assert response.status == 400
        async with http.post("/v1/tokens", json=wanted) as response:
            assert response.status == 401
        basic = {"Authorization": aiohttp.encode_basic_auth("key", KEYS["key"])}
        async with http.post("/v1/tokens", headers=basic) as response:
            assert (await response.json())["expires_in_s"] == 600
        wrong = {"Authorization": aiohttp.encode_basic_auth("key", "wrong")}
        async with http.post("/v1/tokens", headers=wrong) as response:
            assert response.status == 401
    assert made["expires_in_s"] == 60
    async with peer(f"{guarded.session_url}?access_token={made['token']}") as client:
        assert (await client.create())["session_id"] == "mine"
    async with peer(f"{guarded.events_url}?access_token={made['token']}") as watcher:
        assert (await watcher.hear())["type"] == "subscribed"


async def test_sessions_are_listed_with_their_last_verdict(guarded: RunningServer) -> None:
    async with (
        peer(guarded.session_url, **header(token(bargein={"session": True}))) as client,
        aiohttp.ClientSession(guarded.http_url) as http,
    ):
        await client.create(session_id="a", metadata={"room": "12"})
        seer = {"Authorization": f"Bearer {token(bargein={'events': True})}"}
        async with http.get("/v1/sessions", headers=seer) as response:
            (listed,) = (await response.json())["sessions"]
        assert (listed["session_id"], listed["state"], listed["last_verdict"]) == (
            "a",
            "live",
            None,
        )
        assert listed["metadata"] == {"room": "12"}
        blind = {"Authorization": f"Bearer {token('other', bargein={'events': True})}"}
        async with http.get("/v1/sessions", headers=blind) as response:
            assert (await response.json())["sessions"] == []


async def test_pages_of_others_may_not_use_an_open_server(server: RunningServer) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with peer(server.session_url, origin="https://evil.example"):
            pass
    async with peer(server.session_url, origin="http://localhost:3000") as client:
        await client.create()
    async with aiohttp.ClientSession(server.http_url) as http:
        evil = {"Origin": "https://evil.example"}
        async with http.post("/v1/tokens", headers=evil) as response:
            assert response.status == 403
        async with http.get("/v1/sessions", headers={"Host": "evil.example"}) as response:
            assert response.status == 403
        async with http.get("/healthz", headers={"Origin": "http://127.0.0.1:1"}) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "keys", "expected"),
    [
        (None, "x", (), False, True),
        ("http://localhost:8000", "x", (), False, True),
        ("http://[::1]:8000", "x", (), False, True),
        ("null", "x", (), False, False),
        ("https://a.example", "x", (), False, False),
        ("https://a.example", "x", (), True, True),
        ("https://a.example", "x", ("https://a.example",), False, True),
        ("https://b.example", "x", ("https://a.example",), True, False),
        ("https://b.example", "x", ("*",), False, True),
        ("http://localhost.evil.example", "x", (), False, False),
        ("http://[::1]:8766", "[::1]:8765", ("https://a.example",), False, True),
        ("https://b.example", "b.example:8765", ("https://a.example",), True, True),
        ("null", None, ("https://a.example",), True, False),
        ("http://[", "[", ("https://a.example",), True, False),
        ("http://[", "x", (), False, False),
    ],
)
def test_origins(
    origin: str | None, host: str | None, allowed: tuple[str, ...], keys: bool, expected: bool
) -> None:
    assert may_connect(origin, host, allowed=allowed, keys=keys) is expected


async def test_the_servers_own_page_may_connect_whatever_else_may() -> None:
    async with running_server(allow_origins=("https://app.example.com",)) as server:
        async with peer(server.session_url, origin=server.http_url) as client:
            await client.create()
        with pytest.raises(InvalidStatus, match="403"):
            async with peer(server.session_url, origin="https://evil.example"):
                pass


def test_hosts() -> None:
    assert is_own_host("127.0.0.1:8766", keys=False)
    assert is_own_host("[::1]:8766", keys=False)
    assert not is_own_host("rebound.example:8766", keys=False)
    assert is_own_host("bargein.example", keys=True)
    assert not is_own_host("[", keys=False)


async def test_other_paths(server: RunningServer) -> None:
    with pytest.raises(InvalidStatus, match="404"):
        async with peer(f"{server.url}/v2/session"):
            pass


def test_grants() -> None:
    grant = Grant(issuer="key", session="a", events=True)
    assert (grant.may_use("a"), grant.may_use("b"), grant.may_see("b")) == (True, False, True)
