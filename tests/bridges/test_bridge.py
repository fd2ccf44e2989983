"""A real bridge between a platform's peer and an agent's socket, with a real server behind it."""

import asyncio
import base64
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from bargein_client.bridges.audiosocket import HEADER
from bargein_client.bridges.call import Call
from bargein_client.bridges.leg import PAUSE_MS
from bargein_client.bridges.middleware import Bridge, listen
from bargein_client.bridges.platforms import PLATFORMS
from bargein_client.bridges.twilio import Twilio
from bargein_client.commands.bridge import bridge as bridge_command
from bargein_client.retrying import Backoff
from bargein_protocol.errors import ErrorCode
from bargein_protocol.messages import (
    Interruption,
    NonInterruption,
    ServerMessage,
    SessionCreated,
)
from click.testing import CliRunner
from support.relay import relay_to
from support.server import running_server, settled, until
from support.telephone import frames, mulaw, track
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request

STREAM = "MZ1"
EXAMPLE = Path(__file__).parents[2] / "client" / "examples" / "twilio_handler.py"
START = {
    "event": "start",
    "streamSid": STREAM,
    "start": {"callSid": "CA1", "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000}},
}


def media(payload: bytes) -> str:
    encoded = base64.b64encode(payload).decode()
    return json.dumps({"event": "media", "streamSid": STREAM, "media": {"payload": encoded}})


class Agent:
    """A user's own agent: speaks its whole answer in one burst, and remembers what it is told."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.heard: list[Any] = []
        self.verdict: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.gone = asyncio.Event()

    async def serve(self, connection: ServerConnection) -> None:
        async for message in connection:
            content = json.loads(message)
            self.heard.append(content["event"])
            if content["event"] == "start":
                await connection.send(media(self._answer))
            if content["event"] == "bargein" and not self.verdict.done():
                self.verdict.set_result(content["bargein"])
        self.gone.set()


@contextlib.asynccontextmanager
async def bridged_call(sample: str, url: str) -> AsyncGenerator[tuple[Agent, ClientConnection]]:
    """The agent, and the platform's end of a call that has just started."""
    agent = Agent(mulaw(track(sample, "agent", 8000)))
    async with serve(agent.serve, "127.0.0.1", 0) as socket:
        port = next(iter(socket.sockets)).getsockname()[1]
        bridge = Bridge(
            platform=PLATFORMS["twilio"],
            to=f"ws://127.0.0.1:{port}/agent",
            call={"url": url, "retry": Backoff(attempts=0)},
        )
        async with (
            listen(bridge, "127.0.0.1", 0) as reception,
            connect(f"ws://127.0.0.1:{reception.port}") as c,
        ):
            await c.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
            await c.send(json.dumps(START))
            assert json.loads(await c.recv())["event"] == "media"
            yield agent, c


async def play(platform: ClientConnection, sample: str) -> None:
    """The caller's side of a sample, and a second of silence."""
    for frame in frames(mulaw(track(sample, "user", 8000)) + b"\xff" * 8000, 160):
        await platform.send(media(frame))


async def test_an_interruption_clears_the_playback() -> None:
    async with (
        running_server() as server,
        bridged_call("interruption", server.url) as (agent, call),
    ):
        await play(call, "interruption")
        assert json.loads(await call.recv()) == {"event": "clear", "streamSid": STREAM}
        assert (await agent.verdict)["type"] == "interruption"
        await call.send(json.dumps({"event": "stop", "streamSid": STREAM}))
        await call.close()
        await agent.gone.wait()
    assert agent.heard[:3] == ["connected", "start", "media"]
    assert agent.heard[-1] == "stop"


async def test_over_a_backchannel_the_agent_talks_on() -> None:
    async with running_server() as server, bridged_call("backchannel", server.url) as (agent, call):
        await play(call, "backchannel")
        verdict = await agent.verdict
        assert (verdict["type"], verdict["reason"]) == ("non_interruption", "backchannel")
        await call.close()
        await agent.gone.wait()
        with contextlib.suppress(StopAsyncIteration):
            assert not [message async for message in call], "nothing was cleared"


async def test_a_call_goes_on_when_bargein_is_away(caplog: pytest.LogCaptureFixture) -> None:
    async with bridged_call("interruption", "ws://127.0.0.1:1") as (agent, call):
        await play(call, "interruption")
        await call.send(json.dumps({"event": "stop", "streamSid": STREAM}))
        await call.close()
        await agent.gone.wait()
    assert agent.heard.count("media") > 200
    assert "the call goes on without Bargein" in caplog.text


async def test_a_caller_who_hangs_up_in_mid_overlap_leaves_nothing_behind() -> None:
    before = len(asyncio.all_tasks())
    async with running_server() as server:
        async with bridged_call("yeah-but", server.url) as (agent, call):
            for frame in frames(mulaw(track("yeah-but", "user", 8000)), 160)[:100]:
                await call.send(media(frame))
            call.transport.abort()
            await agent.gone.wait()
        await settled(before + 1)
        assert not list(server.app.sessions)
    await settled(before)


async def test_an_agent_that_cannot_be_reached_refuses_the_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bridge = Bridge(platform=PLATFORMS["twilio"], to="ws://127.0.0.1:1", call={})
    async with (
        listen(bridge, "127.0.0.1", 0) as reception,
        connect(f"ws://127.0.0.1:{reception.port}") as call,
    ):
        await call.wait_closed()
        assert call.close_code == 1013
    assert "no agent at ws://127.0.0.1:1" in caplog.text


@pytest.mark.parametrize(
    ("to", "asked", "reached"),
    [
        ("", "/calls/42?x=1", "/calls/42?x=1"),
        ("/", "/calls/42", "/calls/42"),
        ("/agent", "/calls/42?x=1", "/agent?x=1"),
        ("/agent?y=2", "/calls/42?x=1", "/agent?y=2"),
    ],
)
async def test_an_agent_is_asked_as_the_platform_asks(to: str, asked: str, reached: str) -> None:
    requests: list[Request] = []

    async def agent(connection: ServerConnection) -> None:
        assert connection.request is not None
        requests.append(connection.request)

    signed = {"X-Twilio-Signature": "RSOY=", "Authorization": "Basic eA==", "User-Agent": "Tw/1"}
    async with serve(agent, "127.0.0.1", 0) as socket:
        port = next(iter(socket.sockets)).getsockname()[1]
        bridge = Bridge(platform=PLATFORMS["twilio"], to=f"ws://127.0.0.1:{port}{to}", call={})
        async with listen(bridge, "127.0.0.1", 0) as reception:
            at = f"ws://127.0.0.1:{reception.port}"
            async with connect(
                at + asked, additional_headers=signed, user_agent_header=None
            ) as call:
                await call.wait_closed()
    (request,) = requests
    assert request.path == reached
    assert {name: request.headers.get_all(name) for name in signed} == {
        name: [value] for name, value in signed.items()
    }
    assert request.headers.get_all("Host") == [f"127.0.0.1:{port}"]
    assert len(request.headers.get_all("Sec-WebSocket-Key")) == 1


@pytest.mark.parametrize("hurried", [False, True])
async def test_a_bridge_that_is_told_to_stop_carries_its_calls_to_their_end(
    *, hurried: bool
) -> None:
    agent = Agent(b"")
    async with serve(agent.serve, "127.0.0.1", 0) as socket:
        port = next(iter(socket.sockets)).getsockname()[1]
        command = ["twilio", "--to", f"ws://127.0.0.1:{port}", "--listen", "127.0.0.1:0"]
        bridge = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bargein_client", "bridge", *command),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        assert bridge.stdout is not None
        assert bridge.stderr is not None
        at = (await bridge.stdout.readline()).decode().split()[3]
        async with connect(at) as call:
            await call.send(json.dumps({"event": "connected"}))
            bridge.terminate()
            said = ""
            while "draining: 1 calls" not in said:
                said = (await bridge.stderr.readline()).decode()
            with pytest.raises(ConnectionRefusedError):
                await connect(at)
            if hurried:
                bridge.send_signal(signal.SIGINT)
                await call.wait_closed()
            else:
                await call.send(json.dumps(START))
                assert json.loads(await call.recv())["event"] == "media"
        await agent.gone.wait()
        assert await bridge.wait() == 0


async def test_audiosocket_over_tcp_holds_the_answer_and_drops_it_on_an_interruption() -> None:
    answer = track("interruption", "agent", 8000) * 3
    played, gone = bytearray(), asyncio.Event()

    async def agent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in frames(answer, 32_000):
            writer.write(HEADER.pack(0x10, len(part)) + part)
        while await reader.read(65_536):
            pass
        writer.close()
        gone.set()

    async def listen_in(reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                _, length = HEADER.unpack(await reader.readexactly(HEADER.size))
                played.extend(await reader.readexactly(length))

    async with running_server() as server, await asyncio.start_server(agent, "127.0.0.1") as socket:
        port = socket.sockets[0].getsockname()[1]
        bridge = Bridge(
            platform=PLATFORMS["audiosocket"],
            to=f"tcp://127.0.0.1:{port}",
            call={"url": server.url, "pause_ms": 10_000},
        )
        async with listen(bridge, "127.0.0.1", 0) as reception:
            reader, writer = await asyncio.open_connection("127.0.0.1", reception.port)
            hearing = asyncio.create_task(listen_in(reader))
            caller = track("interruption", "user", 8000)
            writer.write(HEADER.pack(0x01, 16) + bytes(16))
            loop = asyncio.get_running_loop()
            start = loop.time()
            for number, frame in enumerate(frames(caller, 320)):
                writer.write(HEADER.pack(0x10, len(frame)) + frame)
                await asyncio.sleep(
                    max(0, start + number * 0.02 - loop.time())
                )  # the caller's pace
            writer.write(HEADER.pack(0x00, 0))
            writer.write_eof()
            await gone.wait()
            await hearing
            writer.close()
            await writer.wait_closed()
    assert answer.startswith(played)
    assert 16_000 < len(played) < len(caller), "the answer began, and was cut short"


async def test_inside_a_handler_of_ones_own() -> None:
    sent: list[str | bytes] = []
    events: asyncio.Queue[ServerMessage] = asyncio.Queue()

    async def to_platform(message: str | bytes) -> None:
        sent.append(message)

    async with running_server() as server:
        async with Call(
            Twilio(), to_platform=to_platform, on_event=events.put, url=server.url
        ) as call:
            await call.from_platform(json.dumps(START))
            await call.from_agent(media(mulaw(track("cough", "agent", 8000))))
            for frame in frames(mulaw(track("cough", "user", 8000)) + b"\xff" * 8000, 160):
                await call.from_platform(media(frame))
        said = [events.get_nowait() for _ in range(events.qsize())]
    assert [event.reason for event in said if isinstance(event, NonInterruption)]
    assert len(sent) == 1, "only the agent's own message; nothing was cleared"


async def test_a_verdict_that_comes_late_leaves_the_next_answer_alone() -> None:
    sent: list[Any] = []
    events: asyncio.Queue[ServerMessage] = asyncio.Queue()

    async def to_platform(message: str | bytes) -> None:
        sent.append(json.loads(message)["event"])

    async with running_server() as server, relay_to(server.url) as network:
        network.stall()
        call = Call(Twilio(), to_platform=to_platform, on_event=events.put, url=network.url)
        async with call:
            await call.from_platform(json.dumps(START))
            await call.from_agent(media(mulaw(track("interruption", "agent", 8000))))
            for frame in frames(mulaw(track("interruption", "user", 8000)) + b"\xff" * 8000, 160):
                await call.from_platform(media(frame))
            await call.from_agent(media(b"\x11" * 8000))
            for frame in frames(b"\xff" * 3200, 160):
                await call.from_platform(media(frame))
            network.flow()
            while not isinstance(await events.get(), Interruption):
                pass
    assert sent == ["media", "media"], "nothing was cleared"


async def test_after_a_restart_of_the_server_verdicts_count_as_before() -> None:
    sent: list[Any] = []
    events: asyncio.Queue[ServerMessage] = asyncio.Queue()

    async def to_platform(message: str | bytes) -> None:
        sent.append(json.loads(message)["event"])

    async def hear(kind: type[ServerMessage]) -> None:
        while not isinstance(await events.get(), kind):
            pass

    async with (
        running_server() as server,
        running_server() as successor,
        relay_to(server.url) as network,
        Call(
            Twilio(),
            to_platform=to_platform,
            on_event=events.put,
            url=network.url,
            retry=Backoff(first_s=0.01),
        ) as call,
    ):
        await call.from_platform(json.dumps(START))
        await hear(SessionCreated)
        for frame in frames(b"\xff" * 8000 * 6, 160):
            await call.from_platform(media(frame))
        await call.from_agent(media(mulaw(track("interruption", "agent", 8000) * 2)))
        await call.from_platform(media(b"\xff" * 160))
        (entry,) = server.app.sessions
        await until(lambda: entry.session.at_ms >= 6000)
        network.lead_to(successor.url)
        server.app.sessions.end_all(ErrorCode.SHUTTING_DOWN)
        await hear(SessionCreated)
        for frame in frames(mulaw(track("interruption", "user", 8000)), 160):
            await call.from_platform(media(frame))
        await hear(Interruption)
    assert sent == ["media", "clear"]


async def test_the_example_of_the_readme_answers_a_call() -> None:
    async with running_server() as server:
        example = await asyncio.create_subprocess_exec(
            *(sys.executable, EXAMPLE, "0", server.url),
            stdout=asyncio.subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        )
        assert example.stdout is not None
        port = (await example.stdout.readline()).split()[-1].decode()
        async with connect(f"ws://127.0.0.1:{port}") as twilio:
            await twilio.send(json.dumps(START))
            await play(twilio, "backchannel")
            await twilio.send(json.dumps({"event": "stop", "streamSid": STREAM}))
        lines = [(await example.stdout.readline()).decode() for _ in range(3)]
        assert lines[0].startswith("SessionCreated(")
        assert lines[1].startswith("SpeechStarted(")
        example.terminate()
        await example.wait()


def test_the_command_teaches_and_refuses_what_it_cannot_do() -> None:
    run = CliRunner().invoke
    assert "bargein bridge twilio --to" in run(bridge_command, ["--help"]).output
    assert "HOST:PORT" in run(bridge_command, ["twilio", "--to", "ws://x", "--listen", "x"]).output
    for arguments in (["twilio", "--to", "http://x"], ["audiosocket", "--to", "ws://x"]):
        refused = run(bridge_command, arguments)
        assert refused.exit_code == 2
        assert f"'--to': '{arguments[2]}' is no " in refused.output
    assert "'skype' is not one of" in run(bridge_command, ["skype", "--to", "ws://x"]).output
    assert f"default: {PAUSE_MS}" in run(bridge_command, ["--help"]).output
