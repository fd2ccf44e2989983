"""Anything at all over a socket: the session lives, or ends with a documented error."""

import contextlib
from typing import Any

import msgspec
from bargein_protocol.codec import encode
from bargein_protocol.errors import ErrorCode
from bargein_protocol.messages import SessionUpdate
from bargein_protocol.options import Options
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.messages import CLIENT_MESSAGES, structs
from support.peer import Peer, peer
from support.server import RunningServer
from support.sounds import voice
from websockets.exceptions import ConnectionClosed

CODES = {code.code for code in ErrorCode} - {"internal_error"}
FRAMES = st.binary(max_size=2000) | st.sampled_from([voice(0.1), voice(0.5), bytes(320)])
FORMATS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "encoding": st.sampled_from(["s16le", "f32le", "mulaw", "alaw"]),
        "sample_rate": st.sampled_from([8000, 16000, 24000, 32000, 44100, 48000]),
        "tracks": st.sampled_from([["user"], ["user", "agent"]]),
    }
)
UPDATES = structs(Options).map(lambda o: SessionUpdate(options=msgspec.to_builtins(o)))
MESSAGES = (CLIENT_MESSAGES | UPDATES).map(lambda message: encode(message).decode())
SAID = st.lists(FRAMES | MESSAGES | st.text(), max_size=12)


@given(audio=FORMATS, said=SAID)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_fault_of_ours(
    server: RunningServer, audio: dict[str, Any], said: list[bytes | str]
) -> None:
    async with peer(server.session_url) as client:
        await client.create(audio=audio)
        await _say_all(client, said)
        heard = await client.hear_all()
    errors = {message["code"] for message in heard if message["type"] == "error"}
    assert errors <= CODES
    assert heard[-1]["type"] == "session.closed"
    opened = {m["overlap_id"] for m in heard if m["type"] == "overlap.started"}
    verdicts = [m["overlap_id"] for m in heard if m["type"].endswith("interruption")]
    assert opened == set(verdicts)
    await server.app.services.census.empty()


async def _say_all(client: Peer, said: list[bytes | str]) -> None:
    with contextlib.suppress(ConnectionClosed):  # what is said may have closed it
        for message in said:
            await client.websocket.send(message)
        await client.say("session.close")
