"""What a model file promises, written once; `checks` holds every file to it on load.

One streaming graph serves steps of a few frames and whole windows alike (B streams, N samples):

    input   audio          float32 [B, N]         user audio, −1 … 1; N a multiple of 400
    input   reference      float32 [B, N]         what the loudspeaker plays; zeros if unknown
    input   state          float32 [B, S]         all that is carried; zeros: a fresh start
    output  probabilities  float32 [B, N/400, 5]  one row per 25 ms frame, sum 1
    output  next_state     float32 [B, S]         the `state` of what follows

The graph is causal, and running N samples at once equals running them in pieces. A frame's row is
the evidence gathered so far about this overlap, not the sound of that instant. What the file says
of itself stands in its metadata: `METADATA`, and bargein.name, .version and .default_threshold.
"""

from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from bargein_server.detection.inputs import ClassProbabilities

Floats = NDArray[np.float32]
Shape = tuple[type[int] | int | None, ...]
"""Axes of a tensor: None is free, `int` is one that the file fixes, a number is that number."""

CONTRACT = "1"
SAMPLE_RATE = 16_000
FRAME_SAMPLES = 400
"""25 ms: one row of probabilities."""
FRAME_BYTES = 2 * FRAME_SAMPLES
"""A frame of 16 kHz mono s16le."""
CLASSES = ClassProbabilities.__struct_fields__
"""The last axis of `probabilities`, in order."""
INPUTS: dict[str, Shape] = {
    "audio": (None, None),
    "reference": (None, None),
    "state": (None, int),
}
OUTPUTS: dict[str, Shape] = {
    "probabilities": (None, None, len(CLASSES)),
    "next_state": (None, int),
}
METADATA = {
    "bargein.contract": CONTRACT,
    "bargein.classes": ",".join(CLASSES),
    "bargein.sample_rate": str(SAMPLE_RATE),
    "bargein.frame_samples": str(FRAME_SAMPLES),
}
"""Entries that every file has, with exactly this value."""

SHIPPED_MODEL = Path(__file__).parent / "weights" / "bargein.onnx"
"""The model that comes with the server."""


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a model file says of itself."""

    name: str
    version: str
    default_threshold: float
    """Probability of an interruption from which a frame counts, unless the options say another."""
    state_size: int
    """S: numbers that a stream carries from one step to the next."""


class ModelError(Exception):
    """A model file that is missing, unreadable, or not what the contract says."""

    def __init__(self, path: Path, expected: str, found: str) -> None:
        super().__init__(f"model {path}: expected {expected}, found {found}")
        self.path = path
        self.expected = expected
        self.found = found


class Model(Protocol):
    """A loaded model; whatever has this shape can stand in for the file."""

    @property
    def info(self) -> ModelInfo:
        """What it says of itself."""
        ...

    def run(self, audio: Floats, reference: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Hear B × N samples; returns `probabilities` and `next_state` as the module says."""
        ...
