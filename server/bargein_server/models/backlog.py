"""What one stream was given and the model has not heard yet: steps, in order.

    phase    meaning                         leaves by
    ───────  ──────────────────────────────  ──────────────────────────────────────────────
    IDLE     everything given was heard      a step → WAITING
    WAITING  steps wait for a run            the run begins → RUNNING
    RUNNING  the model hears the first ones  the run ends → IDLE, or WAITING if more came
    OVER     a step failed, or was closed    –

A run takes whole steps, several at once or part of a long one; a step is answered when its last
frame was heard. Any failure, a timeout included, ends the stream: its answers are the evidence of
contiguous audio or they do not exist.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal, Self

import msgspec

from bargein_server.detection.inputs import ClassProbabilities
from bargein_server.models.batch import Heard, Span
from bargein_server.models.contract import FRAME_BYTES, Floats

Cause = Literal["error", "timeout", "overload"]


class PredictionError(Exception):
    """No answer will come, and none to what follows on the same stream."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(f"no prediction: {cause}")
        self.cause: Cause = cause


class StreamPrediction(msgspec.Struct, frozen=True):
    """The model's answer to one step."""

    frames: tuple[ClassProbabilities, ...]
    """One per 25 ms of the step, oldest first, rounded to 4 decimals."""
    inference_us: int
    """Wall time of the runs that heard it, shared with whatever ran in the same batch."""


class Phase(Enum):
    """Where a stream stands."""

    IDLE = auto()
    WAITING = auto()
    RUNNING = auto()
    OVER = auto()


@dataclass(slots=True, eq=False)
class Step:
    """Audio that one prediction was asked for."""

    audio: bytes
    reference: bytes | None
    answer: asyncio.Future[StreamPrediction] | None
    """None: heard for the sake of what follows."""
    deadline: asyncio.TimerHandle | None = None
    heard: list[ClassProbabilities] = field(default_factory=list[ClassProbabilities])
    inference_us: int = 0

    @property
    def frames(self) -> int:
        """Frames not heard yet."""
        return len(self.audio) // FRAME_BYTES - len(self.heard)

    def piece(self, frames: int) -> tuple[bytes, bytes | None]:
        """The next `frames` of audio and reference."""
        start = len(self.heard) * FRAME_BYTES
        end = start + frames * FRAME_BYTES
        return self.audio[start:end], self.reference and self.reference[start:end]

    def resolve(self, failure: PredictionError | None = None) -> None:
        """Answer with what was heard, or with `failure`, unless nobody waits any more."""
        if self.deadline:
            self.deadline.cancel()
        if self.answer is None or self.answer.done():
            return
        if failure:
            self.answer.set_exception(failure)
        else:
            self.answer.set_result(StreamPrediction(tuple(self.heard), self.inference_us))


class Backlog:
    """The steps of one stream and the state that they go on from."""

    def __init__(self, state: Floats | None = None) -> None:
        self.phase = Phase.IDLE
        self.frames = 0
        """Frames not heard yet, those of a run under way included."""
        self._state = state
        self._steps: deque[Step] = deque()

    def add(self, step: Step) -> None:
        """Put a step behind the others; it has to be scheduled."""
        self._steps.append(step)
        self.frames += step.frames
        if self.phase is Phase.IDLE:
            self.phase = Phase.WAITING

    def begin(self, frames: int) -> Span:
        """The first `frames` of audio, for a run that begins now."""
        self.phase = Phase.RUNNING
        pieces = [step.piece(count) for step, count in self._first(frames)]
        audio = b"".join(audio for audio, _ in pieces)
        if all(reference is None for _, reference in pieces):
            return Span(audio, None, self._state)
        reference = b"".join(played or bytes(len(audio)) for audio, played in pieces)
        return Span(audio, reference, self._state)

    def advance(self, heard: Heard, inference_us: int) -> None:
        """The run ended: answer the steps that were heard to their end."""
        self._state = heard.state
        frames = iter(heard.frames)
        for step, count in list(self._first(len(heard.frames))):
            step.heard += [next(frames) for _ in range(count)]
            step.inference_us += inference_us
            if not step.frames:
                self._steps.popleft()
                step.resolve()
        self.frames -= len(heard.frames)
        self.phase = Phase.WAITING if self._steps else Phase.IDLE

    def end(self, cause: Cause | None) -> None:
        """Nothing more will be heard; who waits is told the cause, or cancelled without one."""
        self.phase = Phase.OVER
        self.frames = 0
        while self._steps:
            step = self._steps.popleft()
            if cause is None and step.answer:
                step.answer.cancel()
            step.resolve(PredictionError(cause or "error"))

    def copy(self) -> Self:
        """A stream that was given the same audio, with nobody waiting for answers about it."""
        copied = type(self)(self._state)
        for step in self._steps:
            copied.add(Step(*step.piece(step.frames), answer=None))
        if self.phase is Phase.OVER:
            copied.end("error")
        return copied

    def _first(self, frames: int) -> Iterator[tuple[Step, int]]:
        for step in self._steps:
            count = min(step.frames, frames)
            yield step, count
            frames -= count
            if not frames:
                return
