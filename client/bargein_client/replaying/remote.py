"""A recording played through a running server, as its client once did."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
from bargein_protocol.audio import AudioFormat
from bargein_protocol.messages import (
    AgentStarted,
    AgentStopped,
    AudioGap,
    ClientMessage,
    OverlapEnded,
    OverlapStarted,
    SessionUpdate,
    Transcript,
)
from bargein_protocol.options import OptionsUpdate
from bargein_protocol.recording import SAMPLE_RATE, Tape

from bargein_client.credentials import Keys
from bargein_client.replaying.engine import Heard
from bargein_client.session import Session, connect

FRAME = SAMPLE_RATE // 50
BYTES = 2


async def play_remote(
    tape: Tape,
    url: str,
    changes: OptionsUpdate,
    speed: float,
    credentials: Keys,
    *,
    session_id: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> AsyncIterator[Heard]:
    """Play `tape` through the server at `url`; everything it says, as it comes.

    Args:
        tape: what to play.
        url: of the server.
        changes: settings that take the place of the recorded ones.
        speed: times real time; infinite: as fast as the server takes it.
        credentials: as for `connect`.
        session_id: a name for the new session.
        metadata: labels for it; default: those of the recording.

    Raises:
        BargeinError: the server cannot be reached, or refuses.
    """
    audio = AudioFormat(tracks=("user", "agent") if tape.agent is not None else ("user",))
    options = recorded_options(tape) | changes
    opening = connect(
        url,
        audio=audio,
        options=options,
        session_id=session_id,
        metadata=tape.header.metadata if metadata is None else metadata,
        **credentials,
    )
    async with opening as session:
        player = asyncio.create_task(_drive(session, tape, changes, speed))
        try:
            async for message in session:
                yield Heard(round(session.at_ms * SAMPLE_RATE / 1000), message)
            await player
        finally:
            player.cancel()
            await asyncio.wait([player])


def recorded_options(tape: Tape) -> dict[str, Any]:
    """The recorded options, as far as they are to be asked for: not the threshold of the model."""
    return _asked_for(msgspec.to_builtins(tape.header.options), tape)


def _asked_for(options: OptionsUpdate, tape: Tape) -> dict[str, Any]:
    """Of recorded options: the threshold is another model's own where it was that of its own."""
    own = options.get("threshold") == tape.header.model.default_threshold
    return {**options, "threshold": None} if own else dict(options)


async def _drive(session: Session, tape: Tape, changes: OptionsUpdate, speed: float) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    for position, item in _script(tape):
        if not math.isinf(speed):
            await asyncio.sleep(began + position / SAMPLE_RATE / speed - clock())
        if isinstance(item, tuple):
            user, agent = item
            if agent:
                await session.send_agent_audio(agent)
            await session.send_audio(user)
        else:
            await _say(session, item, tape, changes)
    await session.close()


def _script(tape: Tape) -> Iterator[tuple[int, ClientMessage | tuple[bytes, bytes]]]:
    """Audio frames (user and agent) and messages in their order, each with its position.

    A message is due when its moment has come; a frame, when its last sample was spoken.
    """
    position, end = 0, len(tape.user) // BYTES
    for step in tape.steps:
        yield from _frames(tape, position, min(step.position, end))
        position = max(position, min(step.position, end))
        yield position, step.message
        if isinstance(step.message, AudioGap):
            position += round(step.message.duration_ms * SAMPLE_RATE / 1000)
    yield from _frames(tape, position, end)


def _frames(tape: Tape, start: int, end: int) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    while start < end:
        stop = min(start + FRAME, end)
        user = tape.user[start * BYTES : stop * BYTES]
        agent = (tape.agent or b"")[start * BYTES : stop * BYTES]
        yield stop, (user, agent)
        start = stop


async def _say(
    session: Session, message: ClientMessage, tape: Tape, changes: OptionsUpdate
) -> None:
    match message:
        case AgentStarted(at_ms=at_ms):
            await session.agent_started(at_ms)
        case AgentStopped(at_ms=at_ms):
            await session.agent_stopped(at_ms)
        case OverlapStarted(at_ms=at_ms, speech_duration_ms=duration_ms):
            await session.overlap_started(at_ms, speech_duration_ms=duration_ms)
        case OverlapEnded(at_ms=at_ms):
            await session.overlap_ended(at_ms)
        case AudioGap(duration_ms=duration_ms):
            await session.gap(duration_ms)
        case Transcript():
            await session.transcript(
                message.id,
                message.text,
                start_ms=message.start_ms,
                end_ms=message.end_ms,
                final=message.final,
            )
        case SessionUpdate(options=options):
            await session.update(**(_asked_for(options or {}, tape) | changes))
        case _:
            pass
