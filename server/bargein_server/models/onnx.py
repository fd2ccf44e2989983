"""The adapter of onnxruntime: opens a model file, checks it, warms it up, runs it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self, cast

import numpy as np
import onnxruntime as ort  # pyright: ignore[reportMissingTypeStubs]

from bargein_server.models.checks import Description, Tensor, check_probabilities
from bargein_server.models.contract import (
    FRAME_SAMPLES,
    INPUTS,
    OUTPUTS,
    Floats,
    ModelError,
    ModelInfo,
)

WARM_UP_SHAPES = ((1, 44), (2, 2))
"""Streams × frames of the warm-up runs: a first window, then 50 ms steps."""


class Session(Protocol):
    """What is used of `onnxruntime.InferenceSession`, which has no types of its own."""

    def get_inputs(self) -> Sequence[Tensor]: ...  # noqa: D102
    def get_outputs(self) -> Sequence[Tensor]: ...  # noqa: D102
    def get_modelmeta(self) -> Any: ...  # noqa: ANN401, D102
    def run(self, names: Sequence[str], feed: dict[str, Any]) -> list[Floats]: ...  # noqa: D102


def open_session(path: Path, threads: int = 1) -> Session:
    """An onnxruntime session that computes on the caller's thread and never spins.

    Args:
        path: the ONNX file.
        threads: onnxruntime's own threads; 1 is the caller's thread alone.

    Raises:
        ModelError: there is no such file, or it is no model that onnxruntime can run.
    """
    if not path.is_file():
        raise ModelError(path, "an ONNX file", "no such file")
    runtime = cast("Any", ort)  # it comes without types
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # a plan per input shape would be kept for ever
    options.log_severity_level = 4  # what is wrong is raised, and reported by the caller
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no base of their own
        found = f"one that onnxruntime refuses ({path.stat().st_size} bytes): {error}"
        raise ModelError(path, "a whole ONNX file", found) from error
    return cast("Session", session)


class OnnxModel:
    """A model file that keeps the contract, loaded and warm.

    Use it from one thread at a time; `Predictor` and `SyncPredictor` do.
    """

    def __init__(self, session: Session, info: ModelInfo) -> None:
        self._session = session
        self._info = info

    @classmethod
    def open(cls, path: Path, *, threads: int = 1) -> Self:
        """Load the file, hold it to the contract and run it until it is warm.

        Raises:
            ModelError: missing, truncated, or not what the contract says; names file and flaw.
        """
        session = open_session(path, threads)
        metadata = session.get_modelmeta().custom_metadata_map
        described = Description(path, session.get_inputs(), session.get_outputs(), metadata)
        model = cls(session, described.check())
        for streams, frames in WARM_UP_SHAPES:
            model.warm_up(path, streams, frames)
        return model

    @property
    def info(self) -> ModelInfo:
        """What the file says of itself."""
        return self._info

    def run(self, audio: Floats, reference: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Hear B × N samples; returns `probabilities` and `next_state`, see `contract`."""
        feed = dict(zip(INPUTS, (audio, reference, state), strict=True))
        probabilities, next_state = self._session.run(list(OUTPUTS), feed)
        return probabilities, next_state

    def warm_up(self, path: Path, streams: int, frames: int) -> None:
        """Run once on faint noise.

        Raises:
            ModelError: the run failed, or its answer is not as promised.
        """
        samples = frames * FRAME_SAMPLES
        noise = (np.random.default_rng(0).standard_normal((streams, samples)) / 100).astype("f4")
        state = np.zeros((streams, self._info.state_size), np.float32)
        try:
            probabilities, next_state = self.run(noise, noise[::-1].copy(), state)
        except Exception as error:  # onnxruntime's exceptions have no base of their own
            expected = f"a warm-up run of {streams} × {samples} samples"
            raise ModelError(path, expected, f"an error: {error}") from error
        check_probabilities(path, probabilities, streams, frames)
        if next_state.shape != state.shape or not np.isfinite(next_state).all():
            raise ModelError(path, f"a finite `next_state` {state.shape}", str(next_state.shape))
