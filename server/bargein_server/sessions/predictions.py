"""One session's questions to the model: a stream per overlap, a future per question."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from bargein_server.detection.inputs import Prediction, PredictionFailed
from bargein_server.detection.outputs import RequestPrediction
from bargein_server.models.predictor import PredictionError, Predictor, Stream, StreamPrediction

logger = logging.getLogger(__name__)

Answer = Prediction | PredictionFailed


class Predictions:
    """Asks the predictor and hands the answers over as inputs of the detector.

    Args:
        predictor: the process's.
        answer: called with each answer, late ones included, and when it was asked for (loop time).
    """

    def __init__(self, predictor: Predictor, answer: Callable[[Answer, float], None]) -> None:
        self._predictor = predictor
        self._answer = answer
        self._streams: dict[int, Stream] = {}
        self._asked: set[asyncio.Future[StreamPrediction]] = set()

    @property
    def outstanding(self) -> int:
        """Questions without an answer."""
        return len(self._asked)

    def ask(self, request: RequestPrediction, timeout_ms: float, now: float) -> None:
        """Put a question; the answer comes within `timeout_ms` or is a failure."""
        stream = self._streams.get(request.overlap_id)
        if stream is not None and request.fresh:
            stream.close()  # the detector wants none of its answers any more
        if stream is None or request.fresh:
            stream = self._streams[request.overlap_id] = self._predictor.stream()
        question = stream.predict(request.audio, request.reference, timeout_ms=timeout_ms)
        self._asked.add(question)
        question.add_done_callback(partial(self._answered, request, now))

    def forget(self, overlap_id: int) -> None:
        """No further question about this overlap; what was asked is still answered."""
        self._streams.pop(overlap_id, None)

    def close(self) -> None:
        """Give up all questions."""
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
        for question in self._asked:
            question.cancel()

    def _answered(
        self, request: RequestPrediction, asked_at: float, said: asyncio.Future[StreamPrediction]
    ) -> None:
        self._asked.discard(said)
        if not said.cancelled():
            self._answer(_to_input(request, said), asked_at)


def _to_input(request: RequestPrediction, said: asyncio.Future[StreamPrediction]) -> Answer:
    tags = (request.overlap_id, request.epoch, request.at)
    error = said.exception()
    if error is None:
        answer = said.result()
        return Prediction(*tags, frames=answer.frames, inference_us=answer.inference_us)
    if isinstance(error, PredictionError):
        return PredictionFailed(*tags, cause=error.cause)
    logger.error("a prediction failed", exc_info=error)
    return PredictionFailed(*tags, cause="error")
