"""Replays one recording as asked for, and compares."""

import asyncio
import math
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from bargein_protocol.messages import SessionClosed
from bargein_protocol.options import OptionsUpdate
from bargein_protocol.recording import SAMPLE_RATE

from bargein_client.credentials import Keys
from bargein_client.replaying.compare import (
    Difference,
    compare_events,
    compare_verdicts,
    decode_events,
    verdicts,
)
from bargein_client.replaying.engine import Engine, Heard
from bargein_client.replaying.remote import play_remote

REAL_TIME = 1.0
AS_FAST_AS_POSSIBLE = math.inf


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How to replay."""

    url: str | None = None
    """Through this server; None: in process."""
    speed: float | None = None
    """Times real time; None: real time through a server, as fast as possible in process."""
    changes: OptionsUpdate = msgspec.field(default_factory=dict[str, object])
    """Settings that take the place of the recorded ones."""
    model: Path | None = None
    """An ONNX file to predict with; None: the shipped one, if predictions are made anew."""
    anew: bool = False
    """Make predictions anew even if nothing has changed."""
    credentials: Keys = msgspec.field(default_factory=Keys)

    @property
    def exact(self) -> bool:
        """Whether the recorded events must come again to the byte."""
        return not (self.url or self.changes or self.model or self.anew)


def replay_one(engine: Engine, plan: Plan) -> list[Heard]:
    """Everything that the replayed session says.

    Raises:
        BargeinError: the server of `plan.url` cannot be used.
        Exception: what the engine raises.
    """
    if plan.url is not None:
        return asyncio.run(_remote(engine, plan, plan.url))
    speed = plan.speed or AS_FAST_AS_POSSIBLE
    return list(_paced(engine.play(plan.changes, plan.model, anew=plan.anew), speed))


def differences(engine: Engine, plan: Plan, heard: list[Heard]) -> list[Difference]:
    """How the replay differs from the recording: to the byte if the plan is `exact`."""
    recorded, replayed = engine.tape.events, [message for _, message in heard]
    before = decode_events(recorded)
    if plan.exact:
        whole = bool(before) and isinstance(before[-1], SessionClosed)
        return list(compare_events(recorded, replayed, whole=whole))
    return list(compare_verdicts(verdicts(before), verdicts(replayed)))


async def _remote(engine: Engine, plan: Plan, url: str) -> list[Heard]:
    speed = plan.speed or REAL_TIME
    played = play_remote(engine.tape, url, plan.changes, speed, plan.credentials)
    return [heard async for heard in played]


def _paced(heard: Iterator[tuple[int, object]], speed: float) -> Iterator[Heard]:
    began = time.monotonic()
    for position, message in heard:
        ahead_s = position / SAMPLE_RATE / speed - (time.monotonic() - began)
        if ahead_s > 0:
            time.sleep(ahead_s)
        yield Heard(position, message)  # type: ignore[arg-type]
