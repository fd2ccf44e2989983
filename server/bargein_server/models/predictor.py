"""One model shared by all sessions: steps go in on the event loop, one thread runs the model.

All bookkeeping happens on the event loop, so nothing is locked: a batch is cut there, handed to
the thread, and what it brings back comes with one `call_soon_threadsafe`. Steps asked for in the
same turn of the loop, and those that come while a batch runs, share the next batch.
"""

import asyncio
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from bargein_server.models.backlog import (
    Backlog,
    Cause,
    Phase,
    PredictionError,
    Step,
    StreamPrediction,
)
from bargein_server.models.batch import Heard, check_audio
from bargein_server.models.contract import SHIPPED_MODEL, Model, ModelError, ModelInfo
from bargein_server.models.onnx import OnnxModel
from bargein_server.models.schedule import Schedule
from bargein_server.models.sync import SyncPredictor, SyncStream
from bargein_server.models.worker import Worker

__all__ = [
    "ModelError",
    "ModelInfo",
    "PredictionError",
    "Predictor",
    "Stream",
    "StreamPrediction",
    "SyncPredictor",
    "SyncStream",
]

MAX_WAITING_FRAMES = 20_000
"""25 ms frames that may wait: 500 s of audio, about half a second of one core's work."""


class Predictor:
    """Answers the streams of all sessions of one event loop with one model on one thread.

    Use it as `async with Predictor.open() as predictor`, or `close()` it.

    Args:
        model: loaded and warm; only the predictor's thread runs it from now on.
        max_waiting_frames: 25 ms frames that may wait before a step is refused as "overload".
    """

    def __init__(self, model: Model, *, max_waiting_frames: int = MAX_WAITING_FRAMES) -> None:
        self._model = model
        self._max_waiting_frames = max_waiting_frames
        self._waiting_frames = 0
        self._schedule: Schedule[Backlog] = Schedule()
        self._running: list[Backlog] = []
        self._worker: Worker | None = Worker(model)

    @classmethod
    def open(cls, path: Path | None = None, *, threads: int = 1) -> Self:
        """Load, check and warm up a model file (None: the shipped one), and start the thread.

        Blocks for some tens of milliseconds: call it before anyone is accepted.

        Raises:
            ModelError: the file is missing, broken, or not what the contract says.
        """
        return cls(OnnxModel.open(path or SHIPPED_MODEL, threads=threads))

    @property
    def info(self) -> ModelInfo:
        """What the model says of itself."""
        return self._model.info

    @property
    def waiting_frames(self) -> int:
        """25 ms frames asked for and not heard yet, over all streams."""
        return self._waiting_frames

    def stream(self) -> "Stream":
        """A fresh stream."""
        return Stream(self, Backlog())

    async def close(self) -> None:
        """Fail what is unanswered with "error" and end the thread, after the batch under way."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        for backlog in [*self._running, *self._schedule]:
            self.end(backlog, "error")
        await worker.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    # ------------------------------------------------------------------ what streams ask for

    def add(self, backlog: Backlog, step: Step) -> None:
        """Take a step in, or end its stream if too much waits already."""
        if self._worker is None or backlog.phase is Phase.OVER:
            step.resolve(PredictionError("error"))
            return
        backlog.add(step)
        self._waiting_frames += step.frames
        if self._waiting_frames > self._max_waiting_frames:
            self.end(backlog, "overload")
            return
        self._wait(backlog)

    def adopt(self, backlog: Backlog) -> None:
        """Take in a stream that comes with steps of its own."""
        self._waiting_frames += backlog.frames
        self._wait(backlog)

    def end(self, backlog: Backlog, cause: Cause | None) -> None:
        """Drop all that a stream waits for; no cause: nobody wants it any more."""
        self._waiting_frames -= backlog.frames
        self._schedule.discard(backlog)
        backlog.end(cause)

    # ------------------------------------------------------------------ batches

    def _wait(self, backlog: Backlog) -> None:
        if backlog.phase is not Phase.WAITING:
            return
        if not self._running and not self._schedule:
            # what else is asked for in this turn of the loop comes into the same batch
            asyncio.get_running_loop().call_soon(self._start)
        self._schedule.put(backlog, backlog.frames)

    def _start(self) -> None:
        if self._running or not self._schedule or self._worker is None:
            return
        frames, self._running = self._schedule.take()
        spans = [backlog.begin(frames) for backlog in self._running]
        self._worker.submit(spans, self._deliver)

    def _deliver(self, heard: list[Heard] | None, inference_us: int) -> None:
        ran, self._running = self._running, []
        if heard is None:
            for backlog in ran:
                self.end(backlog, "error")
        for backlog, result in zip(ran, heard or (), strict=False):
            if backlog.phase is Phase.RUNNING:
                self._waiting_frames -= len(result.frames)
                backlog.advance(result, inference_us)
                self._wait(backlog)
        self._start()


class Stream:
    """One overlap, or one window, as the model hears it: contiguous audio from a fresh start.

    The first `PredictionError` ends it, a timeout included: what is unanswered fails for the same
    cause, every further prediction with "error", and the audio that follows needs a new stream.
    Cancelling one prediction loses its answer only. Use it on the event loop that made it.
    """

    def __init__(self, predictor: Predictor, backlog: Backlog) -> None:
        self._predictor = predictor
        self._backlog = backlog

    def predict(
        self, audio: bytes, reference: bytes | None = None, *, timeout_ms: float | None = None
    ) -> asyncio.Future[StreamPrediction]:
        """Hear `audio` after all that was asked before; answers come in the order of asking.

        Args:
            audio: 16 kHz mono s16le, one or more whole 25 ms frames.
            reference: what the loudspeaker played meanwhile, of the same length; None: unknown.
            timeout_ms: wall time after which the answer is not wanted any more; None: never.

        Returns:
            A future of the answer, or of `PredictionError` with cause "error" (the model failed,
            or the stream is over), "timeout" or "overload" (too much waits already).

        Raises:
            ValueError: audio or reference of a length that the model cannot hear.
        """
        check_audio(audio, reference)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[StreamPrediction] = loop.create_future()
        step = Step(audio, reference, answer)
        if timeout_ms is not None:
            expire = partial(self._predictor.end, self._backlog, "timeout")
            step.deadline = loop.call_later(timeout_ms / 1000, expire)
        self._predictor.add(self._backlog, step)
        return answer

    def fork(self) -> "Stream":
        """A second stream that was given the same: only what is asked of it from now on is new."""
        backlog = self._backlog.copy()
        self._predictor.adopt(backlog)
        return Stream(self._predictor, backlog)

    def close(self) -> None:
        """Nobody wants its answers any more: those still due are cancelled."""
        self._predictor.end(self._backlog, None)
