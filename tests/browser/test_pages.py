"""What the page's server side sends, and to whom."""

from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copytree

import aiohttp
import pytest
import pytest_asyncio
from bargein_server.models.predictor import Predictor
from bargein_server.pages.routes import CLIENT, STATIC
from support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAMPLES = Path(__file__).parents[2] / "scripts" / "samples"
SECRET = "a secret of no less than 32 bytes"
BASIC = {"Authorization": aiohttp.encode_basic_auth("key", SECRET)}


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    copytree(SAMPLES / "interruption.bargein", tmp_path / "recordings" / "interruption.bargein")
    copytree(SAMPLES / "backchannel.bargein", tmp_path / "recordings" / "backchannel.bargein")
    return tmp_path / "recordings"


@pytest_asyncio.fixture(loop_scope="module")
async def server(predictor: Predictor, recordings: Path) -> AsyncIterator[RunningServer]:
    async with running_server(predictor=predictor, record=recordings) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def http(server: RunningServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.http_url) as http:
        yield http


async def test_the_policy_allows_this_server_alone(
    server: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with http.get("/") as response:
        policy = response.headers["Content-Security-Policy"]
        page = await response.text()
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    port = server.app.addresses.port
    assert f"connect-src 'self' ws://127.0.0.1:{port} wss://127.0.0.1:{port};" in policy
    assert "unsafe" not in policy
    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == page.count('<script type="module" src="/page/')
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_host_that_is_none_gets_no_say_in_the_policy(
    predictor: Predictor, http: aiohttp.ClientSession
) -> None:
    async with running_server(predictor=predictor, keys={"key": SECRET}) as server:
        headers = {"Host": "a; script-src *"}
        async with http.get(f"{server.http_url}/", headers=headers) as response:
            assert "connect-src 'self'; base-uri" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("prefix", ["/page/", "/client/"])
async def test_every_file_is_sent_with_its_type(http: aiohttp.ClientSession, prefix: str) -> None:
    folder = STATIC if prefix == "/page/" else CLIENT
    types = {".js": "text/javascript", ".css": "text/css", ".mp3": "audio/mpeg"}
    files = [path for path in folder.rglob("*") if path.suffix in types]
    assert files
    for path in files:
        async with http.get(prefix + path.relative_to(folder).as_posix()) as response:
            assert response.status == 200
            assert response.content_type == types[path.suffix]
            assert await response.read() == path.read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/page/none.js",
        "/page/../routes.py",
        "/page/%2e%2e/routes.py",
        "/page//etc/passwd",
        "/client/../recordings.py",
        "/v1/recordings/none.bargein",
        "/v1/recordings/none.bargein/user.wav",
        "/v1/recordings/interruption.bargein/other.txt",
        "/v1/recordings/%2e%2e/session.json",
        "/v1/recordings/..%2frecordings%2finterruption.bargein/session.json",
    ],
)
async def test_nothing_else_is_sent(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as response:
        assert response.status == 404


async def test_recordings_are_listed_and_sent(
    http: aiohttp.ClientSession, recordings: Path
) -> None:
    (recordings / "torn.bargein").mkdir()
    async with http.get("/v1/recordings") as response:
        listed = {entry["name"]: entry for entry in (await response.json())["recordings"]}
    assert set(listed) == {"interruption.bargein", "backchannel.bargein"}
    interruption = listed["interruption.bargein"]
    assert interruption["duration_ms"] > 1000
    assert (interruption["interruptions"], interruption["non_interruptions"]) == (1, 0)
    async with http.get("/v1/recordings/interruption.bargein") as response:
        files = (await response.json())["files"]
    names = {path.name for path in (recordings / "interruption.bargein").iterdir()}
    assert set(files) == names
    async with http.get("/v1/recordings/interruption.bargein/user.wav") as response:
        wanted = (recordings / "interruption.bargein" / "user.wav").read_bytes()
        assert await response.read() == wanted


async def test_facts_tell_where_to_connect(
    server: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with http.get("/v1/page") as response:
        facts = await response.json()
    assert facts["port"] == server.app.addresses.port
    assert facts["http_port"] == server.app.addresses.http_port
    assert facts["token_needed"] is False
    assert facts["recording"] == "all"
    assert facts["model"]["name"] == "patient"


async def test_recordings_are_for_those_who_may_follow_everything(
    predictor: Predictor, recordings: Path
) -> None:
    async with (
        running_server(predictor=predictor, keys={"key": SECRET}, record=recordings) as server,
        aiohttp.ClientSession(server.http_url) as http,
    ):
        async with http.get("/v1/recordings") as response:
            assert response.status == 401
        for wish, status in (({"events": True}, 200), ({}, 403), ({"session_id": "a"}, 403)):
            async with http.post("/v1/tokens", json=wish, headers=BASIC) as response:
                token = (await response.json())["token"]
            headers = {"Authorization": f"Bearer {token}"}
            async with http.get("/v1/recordings", headers=headers) as response:
                assert response.status == status, wish


async def test_several_keys_do_not_share_recordings(predictor: Predictor, recordings: Path) -> None:
    keys = {"key": SECRET, "another": SECRET}
    async with (
        running_server(predictor=predictor, keys=keys, record=recordings) as server,
        aiohttp.ClientSession(server.http_url, headers=BASIC) as http,
        http.get("/v1/recordings") as response,
    ):
        assert response.status == 403


async def test_a_server_that_does_not_record_says_so(predictor: Predictor) -> None:
    async with (
        running_server(predictor=predictor) as server,
        aiohttp.ClientSession(server.http_url) as http,
        http.get("/v1/recordings") as response,
    ):
        assert response.status == 404
        assert "--record" in await response.text()
