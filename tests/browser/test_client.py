"""The client's own promises, in a real browser over a network that breaks and stalls."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from bargein_protocol.errors import ErrorCode
from bargein_server.models.predictor import Predictor
from support.chromium import Browser, Page, open_page
from support.peer import peer
from support.relay import Relay, relay_to
from support.server import RunningServer, running_server
from support.sounds import silence, voice

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRELUDE = """
  const { connect, follow } = await import("/client/index.js");
  const frame = (ms) => new Int16Array(16 * ms);
  const event = (target, type) => new Promise((resolve) =>
    target.addEventListener(type, ({ detail }) => resolve(detail), { once: true }));
"""


async def run(page: Page, script: str, argument: Any = None) -> Any:
    """Run the body of an asynchronous function in the page; `url` is its argument."""
    return await page.evaluate(f"async (url) => {{ {PRELUDE} {script} }}", argument)


@pytest_asyncio.fixture(loop_scope="module")
async def server(predictor: Predictor) -> AsyncIterator[RunningServer]:
    async with running_server(predictor=predictor) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def network(server: RunningServer) -> AsyncIterator[Relay]:
    async with relay_to(server.url) as network:
        server.app.addresses = server.app.addresses._replace(port=network.port)
        yield network


@pytest_asyncio.fixture(loop_scope="module")
async def page(
    browser: Browser,
    server: RunningServer,
    network: Relay,  # noqa: ARG001 - the page may connect to it
) -> AsyncIterator[Page]:
    async with open_page(browser, server.http_url) as page:
        yield page


async def test_the_audio_clock_goes_on_through_a_broken_connection(
    page: Page, network: Relay
) -> None:
    url = f"ws://127.0.0.1:{network.port}"
    opening = """
      window.session = await connect(url, { reference: true, retry: { firstMs: 1, mostMs: 10 } });
      window.states = [];
      session.addEventListener("connection", ({ detail }) => states.push(detail.state));
      for (let n = 0; n < 50; n++) session.sendAudio(frame(20), frame(20));
      session.agentStarted();
      window.away = event(session, "connection");
    """
    await run(page, opening, url)
    network.cut()
    ending = """
      await away;
      for (let n = 0; n < 50; n++) session.sendAudio(frame(20), frame(20));
      const created = session.created;
      if (session.state === "away") await event(session, "connection");
      session.sendAudio(frame(20), frame(20));
      const atMs = session.atMs;
      const summary = await session.close();
      const same = created.session_id === session.id;
      return { atMs, durationMs: summary.duration_ms, states, same };
    """
    result = await run(page, ending)
    assert result == {
        "atMs": 2020,
        "durationMs": 2020,
        "states": ["away", "connected", "over"],
        "same": True,
    }


async def test_a_stalled_network_costs_audio_but_no_memory_and_no_time(
    page: Page, network: Relay
) -> None:
    url = f"ws://127.0.0.1:{network.port}"
    opening = """
      window.session = await connect(url, {});
      window.congestions = [];
      session.addEventListener("congestion", ({ detail }) => congestions.push(detail));
      window.behind = () => congestions.at(-1)?.behind ?? false;
      window.leftOutMs = 0;
      window.send = (ms) => {
        session.sendAudio(frame(ms));
        if (behind()) leftOutMs += ms;
        return behind();
      };
    """
    await run(page, opening, url)
    network.stall()
    # It may catch up once or twice yet: the system's own buffers take some megabytes.
    filling = """
      for (let inARow = 0; inARow < 6; inARow = send(1000) ? inARow + 1 : 0) {
        await new Promise((resolve) => setTimeout(resolve));
      }
      session.agentStarted();
      return congestions[0];
    """
    assert await run(page, filling) == {"behind": True, "dropped_ms": 0}
    network.flow()
    draining = """
      while (send(20)) await new Promise((resolve) => setTimeout(resolve, 20));
      const told = congestions.reduce((sum, { dropped_ms }) => sum + dropped_ms, 0);
      const atMs = session.atMs;
      const summary = await session.close();
      return { missing: atMs - summary.duration_ms, untold: leftOutMs - told, told: told >= 6000 };
    """
    assert await run(page, draining) == {"missing": 0, "untold": 0, "told": True}


async def test_a_session_that_is_gone_is_begun_anew(
    page: Page, server: RunningServer, network: Relay
) -> None:
    url = f"ws://127.0.0.1:{network.port}"
    opening = """
      window.session = await connect(url, { retry: { firstMs: 1, mostMs: 10 } });
      window.first = session.id;
      session.agentStarted();
      session.sendAudio(frame(500));
      window.created = event(session, "session.created");
    """
    await run(page, opening, url)
    network.stall()
    network.cut()
    for entry in server.app.sessions:
        entry.session.end(None)
    network.flow()
    ending = """
      const again = await created;
      session.sendAudio(frame(500));
      const summary = await session.close();
      return { another: again.session_id !== first, durationMs: summary.duration_ms };
    """
    assert await run(page, ending) == {"another": True, "durationMs": 500}


async def test_the_server_is_heard_when_it_refuses(page: Page, network: Relay) -> None:
    script = """
      try {
        await connect(url, { sessionId: "no spaces allowed" });
      } catch (error) {
        return [error.name, error.code, error.fault];
      }
    """
    said = await run(page, script, f"ws://127.0.0.1:{network.port}")
    assert said == ["BargeinError", "invalid_message", "client"]


async def close_into_nothing(page: Page, network: Relay) -> None:
    """Close a session, `closing`, over a network that does not carry it."""
    opening = """
      window.session = await connect(url, { retry: { firstMs: 1, mostMs: 10 } });
    """
    await run(page, opening, f"ws://127.0.0.1:{network.port}")
    network.stall()
    await run(page, "session.agentStarted()")  # still passes; what follows does not
    await run(page, "window.closing = session.close()")


async def test_a_close_that_did_not_arrive_is_repeated(
    page: Page, network: Relay, server: RunningServer
) -> None:
    await close_into_nothing(page, network)
    network.cut()
    network.flow()
    assert await run(page, "return (await closing).interruptions") == 0
    assert len(server.app.sessions) == 0


async def test_a_session_that_is_gone_when_it_is_closed_is_not_begun_anew(
    page: Page, network: Relay, server: RunningServer
) -> None:
    await close_into_nothing(page, network)
    server.app.sessions.end_all(ErrorCode.SHUTTING_DOWN)
    network.cut()
    network.flow()
    assert await run(page, "return await closing") is None
    assert len(server.app.sessions) == 0


async def test_following_goes_on_where_it_was_cut_off(page: Page, network: Relay) -> None:
    opening = """
      window.seen = [];
      const retry = { firstMs: 1, mostMs: 10 };
      window.reader = follow(url, { types: ["session.created"], retry });
      window.read = async (count) => {
        while (seen.length < count) {
          const { value } = await reader.next();
          if (value.type === "event") seen.push(value.session_id);
        }
        return seen;
      };
      await reader.next();
    """
    await run(page, opening, f"ws://127.0.0.1:{network.port}")
    make = """
      const { port } = await (await fetch("/v1/page")).json();
      const session = await connect(`ws://127.0.0.1:${port}`, { sessionId: url });
      await session.close();
    """
    await run(page, make, "one")
    assert await run(page, "return await read(1)") == ["one"]
    network.cut()
    await run(page, make, "two")
    await run(page, make, "three")
    assert await run(page, "return await read(3)") == ["one", "two", "three"]
    assert await run(page, "return (await reader.return()).done")


async def test_a_restarted_server_is_followed_from_its_first_event(
    page: Page, network: Relay, server: RunningServer, predictor: Predictor
) -> None:
    opening = """
      const retry = { firstMs: 1, mostMs: 10, attempts: 100_000 };
      window.reader = follow(url, { types: ["session.created"], after: 0, retry });
      window.next = async () => {
        for (;;) {
          const { value } = await reader.next();
          if (value.type === "event") return value.session_id;
        }
      };
    """
    await run(page, opening, f"ws://127.0.0.1:{network.port}")
    async with peer(server.session_url) as client:
        await client.create(session_id="one")
        assert await run(page, "return await next()") == "one"
    origins = (server.http_url,)
    async with (
        running_server(predictor=predictor, allow_origins=origins) as successor,
        peer(successor.session_url) as client,
    ):
        await client.create(session_id="while-nobody-followed")
        network.lead_to(successor.url)
        network.cut()
        assert await run(page, "return await next()") == "while-nobody-followed"
        await run(page, "await reader.return()")


async def test_a_microphone_of_another_rate_gives_16_khz(page: Page) -> None:
    script = """
      const { Capture } = await import("/client/index.js");
      const context = new AudioContext({ sampleRate: 44_100 });
      const tone = new OscillatorNode(context, { frequency: 1000 });
      const capture = await Capture.open(context, tone, tone);
      const frames = [];
      const enough = new Promise((resolve) => (capture.onframe = (user, agent) => {
        frames.push([user, agent]);
        if (frames.length === 25) resolve();
      }));
      tone.start();
      await context.resume();
      await enough;
      capture.close();
      const last = frames.slice(15).flatMap(([user]) => [...user]);
      let crossings = 0;
      for (let n = 1; n < last.length; n++) crossings += last[n - 1] < 0 && last[n] >= 0;
      await context.close();
      return { crossings, lengths: [...new Set(frames.flat().map(({ length }) => length))] };
    """
    result = await run(page, script)
    assert result["lengths"] == [320]
    assert abs(result["crossings"] - 200) <= 1  # 10 frames of 20 ms at 1000 Hz


async def test_audio_and_agent_state_may_come_from_two_places(
    page: Page, server: RunningServer, network: Relay
) -> None:
    async with peer(server.session_url) as caller:
        await caller.create()
        joining = """
          const { base, sessionId, attach } = url;
          window.session = await connect(base, { sessionId, attach });
          window.heard = event(session, "interruption");
          session.agentStarted();
          session.update({ predictions: false });
          await event(session, "session.updated");
        """
        claim = caller.attach()
        base = f"ws://127.0.0.1:{network.port}"
        place = {"base": base, "sessionId": claim["session_id"], "attach": claim["attach"]}
        await run(page, joining, place)
        await caller.play(silence(2) + voice(1.5))
        heard = await run(page, "return await heard")
        assert heard == await caller.wait_for("interruption")


async def test_a_session_that_another_took_over_is_lost(
    page: Page, server: RunningServer, network: Relay
) -> None:
    opening = """
      window.session = await connect(url, { sessionId: "mine" });
      window.lost = event(session, "lost");
      const { resume_token, seq } = session.created;
      return { session_id: "mine", resume: { token: resume_token, after: seq } };
    """
    claim = await run(page, opening, f"ws://127.0.0.1:{network.port}")
    async with peer(server.session_url) as thief:
        await thief.create(**claim)
        ending = """
          const { code } = await lost;
          try {
            session.agentStarted();
          } catch (error) {
            return [code, session.state, error.name];
          }
        """
        assert await run(page, ending) == ["replaced", "over", "BargeinError"]


async def test_a_token_that_is_late_is_asked_for_again(page: Page, network: Relay) -> None:
    opening = """
      let asked = 0;
      const token = async () => {
        if (++asked === 2) throw new Error("busy");
        return `token-${asked}`;
      };
      window.session = await connect(url, { token, retry: { firstMs: 1, mostMs: 10 } });
      window.away = event(session, "connection");
      window.asked = () => asked;
    """
    await run(page, opening, f"ws://127.0.0.1:{network.port}")
    network.cut()
    ending = """
      await away;
      if (session.state === "away") await event(session, "connection");
      return [session.state, asked()];
    """
    assert await run(page, ending) == ["connected", 3]


async def test_markers_are_in_order_after_a_broken_connection(page: Page, network: Relay) -> None:
    opening = """
      window.session = await connect(url, { retry: { firstMs: 1, mostMs: 10 } });
      session.agentStarted();
      window.away = event(session, "connection");
    """
    await run(page, opening, f"ws://127.0.0.1:{network.port}")
    network.stall()
    network.cut()
    ending = """
      await away;
      session.sendAudio(frame(500));
      session.transcript("one", "said while the agent was speaking");
      session.agentStopped();
      session.transcript("two", "said after it");
      session.sendAudio(frame(500));
      const heard = [];
      session.addEventListener("transcript.released", ({ detail }) => heard.push(detail));
      window.heard = heard;
    """
    await run(page, ending)
    network.flow()
    summing_up = """
      while (session.state === "away") await event(session, "connection");
      const { duration_ms } = await session.close();
      return [duration_ms, heard.map(({ id, at_ms }) => [id, at_ms])];
    """
    assert await run(page, summing_up) == [1000, [["one", 500], ["two", 500]]]


async def test_a_microphone_is_let_go_where_the_browser_s_audio_does_not_start(page: Page) -> None:
    await page.clock.install()
    script = """
      const { Microphone } = await import("/client/index.js");
      const devices = navigator.mediaDevices;
      const open = devices.getUserMedia.bind(devices);
      let stream;
      devices.getUserMedia = async (wishes) => (stream = await open(wishes));
      AudioContext.prototype.resume = () => new Promise((_) => globalThis.asked());
      const refused = Microphone.open().catch((error) => error);
      await new Promise((resolve) => { globalThis.asked = resolve; });
      globalThis.outcome = refused.then((error) => [
        error.name, stream.getTracks().map(({ readyState }) => readyState),
      ]);
    """
    await run(page, script)
    await page.clock.fast_forward(5000)
    assert await page.evaluate("outcome") == ["InvalidStateError", ["ended"]]
