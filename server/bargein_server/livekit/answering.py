"""The windows of one connection: every one gets its answer, in time.

At most one window is with the model and at most one waits for it. A newer window takes the place
of the waiting one, which is answered at once: "no interruption so far". What the model says about
the newer one covers both. A window that the model has not answered in time is answered by VAD.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from bargein_server.livekit.hearing import FRAME_BYTES, Hearing
from bargein_server.livekit.judgement import Judgement, Rule, Source, nothing_heard
from bargein_server.livekit.messages import Answer, Window
from bargein_server.predictor import PredictionError, Predictor, Stream, StreamPrediction
from bargein_server.quality import any_sound

logger = logging.getLogger(__name__)

ANSWER_WITHIN_S = 0.15
"""From the arrival of a window to its answer; the clients give up after 0.7 s."""


class Answered(NamedTuple):
    """One window's answer, and what the operator may want to know of it."""

    answer: Answer
    judgement: Judgement
    took_s: float
    """From the arrival of the window."""


class _Arrived(NamedTuple):
    window: Window
    at: float
    """`time.monotonic()`."""


class Answering:
    """Answers the windows of one connection.

    Args:
        predictor: the process's.
        hearing: of this connection alone.
        rule: what makes an interruption.
        answered: called once for every window; windows that wait are answered in their order.
    """

    def __init__(
        self,
        predictor: Predictor,
        hearing: Hearing,
        rule: Rule,
        answered: Callable[[Answered], None],
    ) -> None:
        self._predictor = predictor
        self._hearing = hearing
        self._rule = rule
        self._answered = answered
        self._stream: Stream | None = None
        self._asked: _Arrived | None = None
        self._waiting: _Arrived | None = None

    @property
    def busy(self) -> bool:
        """Whether a window is without its answer."""
        return self._asked is not None or self._waiting is not None

    def take(self, window: Window) -> None:
        """Answer this window: now or soon, by a call of `answered`."""
        arrived = _Arrived(window, time.monotonic())
        if self._asked is None:
            self._ask(arrived)
            return
        superseded, self._waiting = self._waiting, arrived
        if superseded is not None:
            frames = len(superseded.window.pcm) // FRAME_BYTES
            self._answer(superseded, nothing_heard(frames, Source.SUPERSEDED))

    def close(self) -> None:
        """Nobody wants the answers any more."""
        self._waiting = self._asked = None
        self._drop_stream()

    def _ask(self, arrived: _Arrived) -> None:
        """Ask the model about a window; what it knows already is answered at once."""
        pcm = arrived.window.pcm
        if not any_sound(pcm):
            self._answer(arrived, nothing_heard(len(pcm) // FRAME_BYTES, Source.SILENCE))
            return
        part = self._hearing.take(pcm)
        if part.fresh:
            self._drop_stream()
        if not part.audio:
            self._answer(arrived, self._rule.judge(self._hearing.heard))
            return
        self._stream = self._stream or self._predictor.stream()
        self._asked = arrived
        left_s = max(0.0, arrived.at + ANSWER_WITHIN_S - time.monotonic())
        said = self._stream.predict(part.audio, timeout_ms=left_s * 1000)
        said.add_done_callback(self._said)

    def _said(self, said: asyncio.Future[StreamPrediction]) -> None:
        arrived, self._asked = self._asked, None
        if arrived is None or said.cancelled():
            return
        self._answer(arrived, self._judge(said))
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._ask(waiting)

    def _judge(self, said: asyncio.Future[StreamPrediction]) -> Judgement:
        error = said.exception()
        if error is None:
            self._hearing.learn(said.result().frames)
            return self._rule.judge(self._hearing.heard)
        if not isinstance(error, PredictionError):
            logger.error("a prediction failed", exc_info=error)
        heard = self._hearing.heard
        self._hearing.forget()
        self._drop_stream()
        return self._rule.judge_by_vad(heard)

    def _answer(self, arrived: _Arrived, judgement: Judgement) -> None:
        took_s = time.monotonic() - arrived.at
        answer = judgement.answer(arrived.window.created_at, took_s)
        self._answered(Answered(answer, judgement, took_s))

    def _drop_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
