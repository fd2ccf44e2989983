"""Puts items to a running server, as a client would."""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from bargein_client.session import Session, connect
from bargein_protocol.audio import TRACKS, AudioFormat, Track
from bargein_protocol.messages import (
    Interruption,
    NonInterruption,
    OverlapOpened,
    PredictionMade,
    TranscriptReleased,
)
from bargein_protocol.options import FRAME_MS, Options

from bargein_model.contract import SAMPLE_RATE
from bargein_model.evaluation.deciding import BYTES, PIECE
from bargein_model.evaluation.items import Item

AT_ONCE = 4
"""Sessions side by side."""
PATIENCE_S = 20.0
"""How long to wait for a server that has all the audio."""
LAST_MS = Options().hop_ms + FRAME_MS
"""The last prediction of an overlap that is still open ends less than this before the audio."""
PLAYED, ANSWERED = "played", "answered"
"""Transcripts that come straight back: all that was sent, or said, before them is through."""


def ask(
    url: str, items: Iterable[Item], threshold: float | None
) -> Iterator[tuple[str, int | None]]:
    """Each item's name and the position of the first interruption that the server called, if any.

    Args:
        url: of a running server that lets this client in without a key.
        items: to play, faster than real time, `AT_ONCE` at a time.
        threshold: None: the server's own.
    """
    options: dict[str, Any] = {
        "backchannel_boundary_ms": None,
        "predictions": True,
        "gate_transcripts": False,
        "prediction_timeout_ms": 10_000,
    } | ({} if threshold is None else {"threshold": threshold})
    waiting = iter(items)
    with asyncio.Runner() as runner:
        while batch := list(islice(waiting, AT_ONCE)):
            answers = runner.run(_all_flagged(url, batch, options))
            yield from zip((item.facts.name for item in batch), answers, strict=True)


async def _all_flagged(url: str, items: list[Item], options: dict[str, Any]) -> list[int | None]:
    return await asyncio.gather(*(_flagged(url, item, options) for item in items))


async def _flagged(url: str, item: Item, options: dict[str, Any]) -> int | None:
    tracks: tuple[Track, ...] = ("user",) if item.reference is None else TRACKS
    async with connect(url, audio=AudioFormat(tracks=tracks), options=options) as session:
        playing = asyncio.create_task(_play(session, item))
        try:
            async with asyncio.timeout(PATIENCE_S):
                at_ms = await _first_interruption(session, len(item.audio) / BYTES / 16)
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
    return None if at_ms is None else round(at_ms * SAMPLE_RATE / 1000)


async def _play(session: Session, item: Item) -> None:
    await session.agent_started()
    for begin in range(0, len(item.audio), PIECE * BYTES):
        piece = slice(begin, begin + PIECE * BYTES)
        if item.reference is not None:
            await session.send_agent_audio(item.reference[piece])
        await session.send_audio(item.audio[piece])
    await session.transcript(PLAYED, "")


async def _first_interruption(session: Session, length_ms: float) -> float | None:
    """Reads until an interruption came, or all audio was heard and no overlap waits."""
    waiting: set[int] = set()
    played = False
    async for message in session:
        match message:
            case Interruption():
                return message.at_ms
            case OverlapOpened():
                waiting.add(message.overlap_id)
            case NonInterruption():
                waiting.discard(message.overlap_id)
            case PredictionMade() if message.at_ms > length_ms - LAST_MS:
                await session.transcript(ANSWERED, "")
            case TranscriptReleased():
                played = True
                waiting = set() if message.id == ANSWERED else waiting
            case _:
                pass
        if played and not waiting:
            return None
    return None
