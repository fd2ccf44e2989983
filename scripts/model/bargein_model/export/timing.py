"""What the ways to run a model file cost, on one thread."""

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime as ort

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
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return Timing(*(_median_ms(session, ms) for ms in (HOP_MS, STEP_MS, WINDOW_MS)))


def _median_ms(session: ort.InferenceSession, audio_ms: int) -> float:
    audio = np.random.default_rng(1).normal(0, 0.05, (1, audio_ms * SAMPLE_RATE // 1000))
    inputs = {
        "audio": audio.astype(np.float32),
        "reference": audio.astype(np.float32),
        "state": np.zeros((1, session.get_inputs()[2].shape[1]), np.float32),
    }
    session.run(None, inputs)
    taken: list[float] = []
    for _ in range(ROUNDS):
        begun = time.process_time_ns()
        session.run(None, inputs)
        taken.append((time.process_time_ns() - begun) / 1e6)
    return float(np.median(taken))
