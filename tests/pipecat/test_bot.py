"""The README's bot, in a pipeline of Pipecat's own, against a real server, in real time.

The conversations take place at the same time; each test looks at what was told of one.
"""

import asyncio
import signal
import socket
import sys
from typing import Any

import pytest
from bargein_protocol.options import Options
from support.pipecat_bot import BACKCHANNEL, INTERRUPTION, ROOT, Bot, Line, running_bot
from support.server import running_server

pytestmark = pytest.mark.timeout(300)  # in real time, and slower where others work, too
UNDECIDED = Options(threshold=0.999, hangover_ms=5000)
"""No sound is ever proved an interruption, nor soon anything else, however late the bot hears."""
LONG = ROOT / "tests" / "model" / "fixtures" / "mixed-long-001.flac"
"""Nearly three seconds of speech."""


async def speaking_under_guard(bot: Bot, seconds: int) -> None:
    bot.tell("say", seconds=seconds)
    await bot.until("BargeinGuardFrame", guarded=True)


async def interruption(url: str, begin: asyncio.Barrier) -> list[Line]:
    async with running_bot(url, begin) as bot:
        await speaking_under_guard(bot, 6)
        bot.play(INTERRUPTION, words="wait, stop", words_at_ms=2900)
        await bot.until("asked", text="wait, stop")
        return await bot.end()


async def backchannel(url: str, begin: asyncio.Barrier) -> list[Line]:
    async with running_bot(url, begin) as bot:
        await speaking_under_guard(bot, 5)
        bot.play(BACKCHANNEL, words="mm-hmm", words_at_ms=2900)
        await bot.until("BotStoppedSpeakingFrame")
        return await bot.end()


async def echo(url: str, begin: asyncio.Barrier, *, delay_ms: int) -> list[Line]:
    """The user has a loudspeaker, and says nothing."""
    async with running_bot(url, begin) as bot:
        bot.tell("room", delay_ms=delay_ms, level_db=-12)
        await speaking_under_guard(bot, 5)
        await bot.until("BotStoppedSpeakingFrame")
        return await bot.end()


async def silent_bot(url: str, begin: asyncio.Barrier) -> list[Line]:
    async with running_bot(url, begin) as bot:
        bot.play(INTERRUPTION, words="hello", words_at_ms=3000)
        await bot.until("asked", text="hello")
        bot.tell("loudspeaker")
        return await bot.end()


async def no_server(url: str, begin: asyncio.Barrier) -> list[Line]:
    async with running_bot(url, begin) as bot:
        bot.tell("say", seconds=5)
        await bot.until("BotStartedSpeakingFrame")
        bot.play(BACKCHANNEL, words="mm-hmm", words_at_ms=2900)
        await bot.until("asked", text="mm-hmm")
        return await bot.end()


async def away_and_back(port: int, begin: asyncio.Barrier) -> list[Line]:
    """The server goes away in an overlap and comes back after the bot's answer."""
    async with running_bot(f"ws://127.0.0.1:{port}", begin) as bot:
        async with running_server(port=port, options=UNDECIDED):
            await speaking_under_guard(bot, 15)
            bot.play(LONG, words="could you", words_at_ms=4200)
            await bot.until("VADUserStartedSpeakingFrame")
        await bot.until("asked", text="could you")
        await bot.until("BotStartedSpeakingFrame")
        await bot.until("BotStoppedSpeakingFrame")
        async with running_server(port=port):
            await bot.until("BargeinEventFrame", event="session.created")
            await speaking_under_guard(bot, 5)
            bot.play(BACKCHANNEL, words="mm-hmm", words_at_ms=2900)
            await bot.until("BotStoppedSpeakingFrame")
            return await bot.end()


async def stalled(port: int, begin: asyncio.Barrier) -> list[Line]:
    """The server hangs, still connected, before the overlap, and goes on during the answer."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bargein_client", "serve",
        "--port", str(port), "--http-port", str(free_port()),
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with running_bot(f"ws://127.0.0.1:{port}", begin) as bot:
            await speaking_under_guard(bot, 20)
            server.send_signal(signal.SIGSTOP)
            bot.play(LONG, words="could you tell me", words_at_ms=4200)
            await bot.until("asked", text="could you tell me")
            await bot.until("BotStartedSpeakingFrame")
            server.send_signal(signal.SIGCONT)
            await bot.until("BargeinEventFrame", event="speech.stopped")
            return await bot.end()
    finally:
        server.kill()
        await server.wait()


async def cooling(begin: asyncio.Barrier) -> list[Line]:
    """After a verdict a cooldown runs, in which the user is heard and nothing is decided."""
    options = Options(cooldown_ms=60_000)
    async with running_server(options=options) as server, running_bot(server.url, begin) as bot:
        await speaking_under_guard(bot, 15)
        bot.play(BACKCHANNEL, words="mm-hmm", words_at_ms=2900)
        await bot.until("BargeinEventFrame", event="non_interruption")
        bot.play(LONG, words="", words_at_ms=60_000)
        await bot.until("BotStoppedSpeakingFrame")
        return await bot.end()


async def muted(url: str, begin: asyncio.Barrier) -> list[Line]:
    """By a strategy of Pipecat's the bot is not to be interrupted."""
    async with running_bot(url, begin) as bot:
        bot.tell("mute")
        await speaking_under_guard(bot, 6)
        bot.play(INTERRUPTION, words="", words_at_ms=0)
        await bot.until("BotStoppedSpeakingFrame")
        return await bot.end()


async def limited(begin: asyncio.Barrier) -> list[Line]:
    """A session may last two seconds only."""
    async with running_server(max_duration_s=2) as server, running_bot(server.url, begin) as bot:
        for _ in range(2):
            await bot.until("BargeinEventFrame", event="session.created")
        return await bot.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def hold_conversations() -> dict[str, list[Line]]:
    begin = asyncio.Barrier(11)
    nowhere = f"ws://127.0.0.1:{free_port()}"
    async with running_server() as server, asyncio.TaskGroup() as tasks:
        running = {
            "interruption": tasks.create_task(interruption(server.url, begin)),
            "backchannel": tasks.create_task(backchannel(server.url, begin)),
            "echo": tasks.create_task(echo(server.url, begin, delay_ms=60)),
            "late echo": tasks.create_task(echo(server.url, begin, delay_ms=300)),
            "silent bot": tasks.create_task(silent_bot(server.url, begin)),
            "no server": tasks.create_task(no_server(nowhere, begin)),
            "stalled": tasks.create_task(stalled(free_port(), begin)),
            "cooling": tasks.create_task(cooling(begin)),
            "muted": tasks.create_task(muted(server.url, begin)),
            "limited": tasks.create_task(limited(begin)),
            "away and back": tasks.create_task(away_and_back(free_port(), begin)),
        }
    return {name: task.result() for name, task in running.items()}


@pytest.fixture(scope="module")
def told() -> dict[str, list[Line]]:
    """What each bot told, from its start to its end."""
    return asyncio.run(hold_conversations())


def kinds(lines: list[Line], *wanted: str) -> list[str]:
    """What was told, in order; only what is wanted, if anything is."""
    return [line["what"] for line in lines if not wanted or line["what"] in wanted]


def last(lines: list[Line], what: str) -> int:
    return max(i for i, line in enumerate(lines) if line["what"] == what)


def verdicts(lines: list[Line]) -> list[str]:
    told = [line.get("event") for line in lines]
    return [event for event in told if event in {"interruption", "non_interruption"}]


def texts(lines: list[Line], what: str) -> list[Any]:
    return [line["text"] for line in lines if line["what"] == what]


def test_an_interruption_stops_the_bot(told: dict[str, list[Line]]) -> None:
    lines = told["interruption"]
    verdict = next(i for i, line in enumerate(lines) if line.get("event") == "interruption")
    assert lines[verdict]["source"] == "model"
    turn = ("UserStartedSpeakingFrame", "InterruptionFrame", "BotStoppedSpeakingFrame")
    assert not kinds(lines[:verdict], *turn)
    assert kinds(lines[verdict:], *turn)[:3] == list(turn)
    assert texts(lines, "asked")[-1] == "wait, stop"


def test_the_bot_talks_on_over_a_backchannel(told: dict[str, list[Line]]) -> None:
    lines = told["backchannel"]
    assert set(verdicts(lines)) == {"non_interruption"}
    assert "VADUserStartedSpeakingFrame" in kinds(lines)
    assert texts(lines, "UserBackchannelFrame") == ["mm-hmm"]
    assert not kinds(lines, "InterruptionFrame", "UserStartedSpeakingFrame", "asked")


@pytest.mark.parametrize("which", ["echo", "late echo"])
def test_the_bot_talks_on_over_its_own_echo(told: dict[str, list[Line]], which: str) -> None:
    lines = told[which]
    assert "VADUserStartedSpeakingFrame" in kinds(lines)
    assert set(verdicts(lines)) == {"non_interruption"}
    assert "echo" in {line.get("reason") for line in lines}
    assert not kinds(lines, "InterruptionFrame", "UserStartedSpeakingFrame", "asked")


def test_the_vad_starts_the_turn_while_the_bot_is_silent(told: dict[str, list[Line]]) -> None:
    lines = told["silent bot"]
    order = kinds(lines, "VADUserStartedSpeakingFrame", "turn", "asked")
    assert order[:2] == ["VADUserStartedSpeakingFrame", "turn"]
    assert texts(lines, "asked")[-1] == "hello"
    assert verdicts(lines) == []


def test_a_loudspeaker_that_comes_too_late_is_refused(told: dict[str, list[Line]]) -> None:
    (said,) = texts(told["silent bot"], "refused")
    assert "before the pipeline runs" in said


def test_without_a_server_the_vad_decides(told: dict[str, list[Line]]) -> None:
    lines = told["no server"]
    assert "InterruptionFrame" in kinds(lines)
    assert texts(lines, "asked")[-1] == "mm-hmm"
    (warning,) = (text for text in texts(lines, "log") if "Bargein" in text)
    assert warning.startswith("Bargein is away, the VAD alone decides: connection_lost")


def test_a_server_that_goes_away_in_an_overlap_lets_the_user_in(
    told: dict[str, list[Line]],
) -> None:
    lines = told["away and back"]
    heard = kinds(lines).index("VADUserStartedSpeakingFrame")
    away = lines.index({"what": "BargeinGuardFrame", "guarded": False})
    assert heard < away
    assert not kinds(lines[:away], "turn", "InterruptionFrame")
    assert kinds(lines[away:])[1:3] == ["UserStartedSpeakingFrame", "InterruptionFrame"]
    assert any("Bargein is away" in text for text in texts(lines[:away], "log"))
    assert texts(lines, "asked")[-1] == "could you"


def test_a_server_that_comes_back_decides_again(told: dict[str, list[Line]]) -> None:
    lines = told["away and back"]
    sessions = [i for i, line in enumerate(lines) if line.get("event") == "session.created"]
    assert len(sessions) == 2
    back = lines[sessions[1] :]
    assert set(verdicts(back)) == {"non_interruption"}
    assert texts(back, "UserBackchannelFrame") == ["mm-hmm"]
    assert not kinds(back, "turn", "InterruptionFrame")


def test_a_server_that_has_nothing_to_decide_does_not_hang(told: dict[str, list[Line]]) -> None:
    lines = told["cooling"]
    assert verdicts(lines) == ["non_interruption"]
    heard = [line.get("event") for line in lines].count("speech.started")
    assert heard > 1
    assert not kinds(lines, "InterruptionFrame", "UserStartedSpeakingFrame", "asked")
    assert not any("Bargein is away" in text for text in texts(lines, "log"))


def test_a_user_who_is_muted_does_not_interrupt(told: dict[str, list[Line]]) -> None:
    lines = told["muted"]
    assert verdicts(lines) == []
    assert not kinds(lines, "InterruptionFrame", "UserStartedSpeakingFrame", "asked")


def test_a_session_that_reached_its_limit_is_followed_by_another(
    told: dict[str, list[Line]],
) -> None:
    lines = told["limited"]
    created = [line for line in lines if line.get("event") == "session.created"]
    assert len(created) >= 2
    assert any("session_too_long" in text for text in texts(lines, "log"))


def test_a_server_that_hangs_does_not_keep_the_user_out(told: dict[str, list[Line]]) -> None:
    lines = told["stalled"]
    turn = ("VADUserStartedSpeakingFrame", "BargeinGuardFrame", "InterruptionFrame")
    start = kinds(lines).index("VADUserStartedSpeakingFrame")
    assert kinds(lines[start:], *turn)[:3] == list(turn)
    assert any("Bargein is away" in text for text in texts(lines, "log"))
    assert texts(lines, "asked")[-1] == "could you tell me"
    answer = kinds(lines[last(lines, "asked") :])
    assert "BargeinEventFrame" in answer
    assert "InterruptionFrame" not in answer
