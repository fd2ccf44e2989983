"""The windows of one connection: every one gets its answer, in time.

At most one question is with the model and at most one window waits for it. A newer window takes
the place of the waiting one, which is answered at once: "no interruption so far". What the model
says about the newer one covers both. A window that the model has not answered in time is answered
by VAD; what the model says about it later is not lost, the next window goes on from there.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from bargein_server.audio.quality import any_sound
from bargein_server.livekit.hearing import FRAME_BYTES, Hearing, Part
from bargein_server.livekit.judgement import Judgement, Rule, Source, nothing_heard
from bargein_server.livekit.messages import Answer, Window
from bargein_server.models.predictor import PredictionError, Predictor, Stream, StreamPrediction

logger = logging.getLogger(__name__)

ANSWER_WITHIN_S = 0.15
"""From the arrival of a window to its answer; the clients give up after 0.7 s."""
GIVE_UP_AFTER_MS = 1000
"""A question that the model has not answered by then is asked anew, from the pre-roll on."""


class Answered(NamedTuple):
    """One window's answer, and what the operator may want to know of it."""

    answer: Answer
    judgement: Judgement
    took_s: float
    """From the arrival of the window."""


class _Open(NamedTuple):
    """A window without its answer."""

    window: Window
    at: float
    """`time.monotonic()` when it came."""
    deadline: asyncio.TimerHandle


class Answering:
    """Answers the windows of one connection.

    Args:
        predictor: the process's.
        hearing: of this connection alone.
        rule: what makes an interruption.
        answered: called once for every window.
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
        self._stream: tuple[int, Stream] | None = None
        self._question: asyncio.Future[StreamPrediction] | None = None
        self._asked: _Open | None = None
        self._waiting: _Open | None = None

    @property
    def busy(self) -> bool:
        """Whether a window is without its answer."""
        return self._asked is not None or self._waiting is not None

    def take(self, window: Window) -> None:
        """Answer this window: now or soon, by a call of `answered`."""
        superseded, self._waiting = self._waiting, self._open(window)
        if superseded is not None:
            frames = len(superseded.window.pcm) // FRAME_BYTES
            self._answer(superseded, nothing_heard(frames, Source.SUPERSEDED))
        self._go_on()

    def close(self) -> None:
        """Nobody wants the answers any more."""
        for open_ in (self._asked, self._waiting):
            if open_ is not None:
                open_.deadline.cancel()
        self._asked = self._waiting = None
        self._drop_stream()

    def _open(self, window: Window) -> _Open:
        loop = asyncio.get_running_loop()
        deadline = loop.call_later(ANSWER_WITHIN_S, self._expire, window)
        return _Open(window, time.monotonic(), deadline)

    def _go_on(self) -> None:
        """Ask the model about the window that waits, unless it is still busy with another."""
        if self._question is not None or self._waiting is None:
            return
        open_, self._waiting = self._waiting, None
        pcm = open_.window.pcm
        if not any_sound(pcm):
            self._answer(open_, nothing_heard(len(pcm) // FRAME_BYTES, Source.SILENCE))
            return
        self._hearing.hear(pcm)
        part = self._hearing.part()
        if not part.audio:
            self._answer(open_, self._rule.judge(self._hearing.heard))
            return
        self._asked = open_
        self._question = self._stream_of(part).predict(part.audio, timeout_ms=GIVE_UP_AFTER_MS)
        self._question.add_done_callback(partial(self._said, part))

    def _said(self, part: Part, said: asyncio.Future[StreamPrediction]) -> None:
        if said.cancelled():
            return
        self._question = None
        open_, self._asked = self._asked, None
        error = said.exception()
        if error is None:
            self._hearing.learn(part, said.result().frames)
        else:
            if not isinstance(error, PredictionError):
                logger.error("a prediction failed", exc_info=error)
            self._hearing.forget()
            self._drop_stream()
        if open_ is not None:
            judge = self._rule.judge if error is None else self._rule.judge_by_vad
            self._answer(open_, judge(self._hearing.heard))
        self._go_on()

    def _expire(self, window: Window) -> None:
        """The time for this window is over: the VAD decides."""
        if self._asked is not None and self._asked.window is window:
            late, self._asked = self._asked, None
        elif self._waiting is not None and self._waiting.window is window:
            late, self._waiting = self._waiting, None
            self._hearing.hear(window.pcm)
        else:
            return
        self._answer(late, self._rule.judge_by_vad(self._hearing.heard))

    def _answer(self, open_: _Open, judgement: Judgement) -> None:
        open_.deadline.cancel()
        took_s = time.monotonic() - open_.at
        answer = judgement.answer(open_.window.created_at, took_s)
        self._answered(Answered(answer, judgement, took_s))

    def _stream_of(self, part: Part) -> Stream:
        if self._stream is None or self._stream[0] != part.stream:
            self._drop_stream()
            self._stream = part.stream, self._predictor.stream()
        return self._stream[1]

    def _drop_stream(self) -> None:
        stream, self._stream, self._question = self._stream, None, None
        if stream is not None:
            stream[1].close()
