"""The model for those who have no event loop: replay and evaluation."""

import time
from pathlib import Path
from typing import Self

from bargein_server.models.backlog import StreamPrediction
from bargein_server.models.batch import Span, check_audio, hear
from bargein_server.models.contract import SHIPPED_MODEL, Floats, Model, ModelInfo
from bargein_server.models.onnx import OnnxModel


class SyncStream:
    """One overlap, or one window, heard on the caller's thread; contiguous from a fresh start."""

    def __init__(self, model: Model, state: Floats | None = None) -> None:
        self._model = model
        self._state = state

    def predict(self, audio: bytes, reference: bytes | None = None) -> StreamPrediction:
        """Hear `audio` (16 kHz mono s16le, whole 25 ms frames) after all that came before.

        Args:
            audio: one or more frames.
            reference: what the loudspeaker played meanwhile, of the same length; None: unknown.

        Raises:
            ValueError: audio or reference of a length that the model cannot hear.
            Exception: whatever the model raises; the stream is where it was before.
        """
        check_audio(audio, reference)
        began = time.perf_counter_ns()
        (heard,) = hear(self._model, [Span(audio, reference, self._state)])
        self._state = heard.state
        return StreamPrediction(heard.frames, (time.perf_counter_ns() - began) // 1000)

    def fork(self) -> "SyncStream":
        """A second stream that has heard the same."""
        return SyncStream(self._model, self._state)


class SyncPredictor:
    """Streams of one model, each step run at once on the caller's thread."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @classmethod
    def open(cls, path: Path | None = None, *, threads: int = 1) -> Self:
        """Load, check and warm up a model file (None: the shipped one).

        Raises:
            ModelError: the file is missing, broken, or not what the contract says.
        """
        return cls(OnnxModel.open(path or SHIPPED_MODEL, threads=threads))

    @property
    def info(self) -> ModelInfo:
        """What the model says of itself."""
        return self._model.info

    def stream(self) -> SyncStream:
        """A fresh stream."""
        return SyncStream(self._model)
