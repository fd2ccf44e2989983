"""What the ways to run a model file cost, on one thread."""

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from bargein_server.models.onnx import OnnxModel

from bargein_model.contract import SAMPLE_RATE

HOP_MS, STEP_MS, WINDOW_MS = 50, 100, 3000
ROUNDS = 300


class Timing(NamedTuple):
    """Medians, in ms of CPU time."""

    hop_ms: float
    """50 ms of audio, as an undecided overlap asks by default."""
    step_ms: float
    """100 ms."""
    window_ms: float
    """3 s, from the beginning."""


def measure(path: Path) -> Timing:
    """Times steps and a whole window."""
    model = OnnxModel.open(path)
    return Timing(*(_median_ms(model, ms) for ms in (HOP_MS, STEP_MS, WINDOW_MS)))


def _median_ms(model: OnnxModel, audio_ms: int) -> float:
    drawn = np.random.default_rng(1).normal(0, 0.05, (1, audio_ms * SAMPLE_RATE // 1000))
    audio, state = drawn.astype(np.float32), np.zeros((1, model.info.state_size), np.float32)
    model.run(audio, audio, state)
    taken: list[float] = []
    for _ in range(ROUNDS):
        begun = time.process_time_ns()
        model.run(audio, audio, state)
        taken.append((time.process_time_ns() - begun) / 1e6)
    return float(np.median(taken))
