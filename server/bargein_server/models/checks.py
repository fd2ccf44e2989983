"""Holds a model file to the contract: its inputs, outputs and metadata, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from bargein_server.models.contract import (
    CLASSES,
    FRAME_SAMPLES,
    INPUTS,
    METADATA,
    OUTPUTS,
    Floats,
    ModelError,
    ModelInfo,
    Shape,
)

Axis = str | int | None
SUM_TOLERANCE = 1e-3
"""How far from 1 a row of probabilities may sum."""


class Tensor(Protocol):
    """One input or output as onnxruntime describes it."""

    name: str
    type: str
    shape: Sequence[Axis]


@dataclass(frozen=True)
class Description:
    """The face of one model file."""

    path: Path
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    metadata: Mapping[str, str]

    def check(self) -> ModelInfo:
        """What the file says of itself.

        Raises:
            ModelError: an input, output or metadata entry is missing, or is not as promised.
        """
        carried = self._tensors("input", self.inputs, INPUTS)["state"]
        returned = self._tensors("output", self.outputs, OUTPUTS)["next_state"]
        if carried[1] != returned[1]:
            expected = f"`next_state` as large as `state` ({carried[1]})"
            raise ModelError(self.path, expected, str(returned[1]))
        for name, value in METADATA.items():
            if self._entry(name) != value:
                raise ModelError(self.path, f"metadata {name}={value}", self._entry(name))
        return ModelInfo(
            name=self._entry("bargein.name"),
            version=self._entry("bargein.version"),
            default_threshold=self._threshold(),
            state_size=int(str(carried[1])),
        )

    def _tensors(
        self, kind: str, found: Sequence[Tensor], promised: Mapping[str, Shape]
    ) -> dict[str, Sequence[Axis]]:
        names = [tensor.name for tensor in found]
        if sorted(names) != sorted(promised):
            expected = f"{kind}s {', '.join(promised)}"
            raise ModelError(self.path, expected, ", ".join(names) or "none")
        for tensor in found:
            shape = promised[tensor.name]
            if tensor.type != "tensor(float)" or not _fits(tensor.shape, shape):
                expected = f"{kind} `{tensor.name}` float32 {_describe(shape)}"
                raise ModelError(self.path, expected, f"{tensor.type} {list(tensor.shape)}")
        return {tensor.name: tensor.shape for tensor in found}

    def _entry(self, name: str) -> str:
        if not self.metadata.get(name):
            raise ModelError(self.path, f"metadata {name}", "no such entry")
        return self.metadata[name]

    def _threshold(self) -> float:
        name = "bargein.default_threshold"
        try:
            threshold = float(self._entry(name))
        except ValueError:
            threshold = 0.0
        if not 0 < threshold < 1:
            raise ModelError(self.path, f"metadata {name} between 0 and 1", self._entry(name))
        return threshold


def check_probabilities(path: Path, probabilities: Floats, streams: int, frames: int) -> None:
    """Whether one run answered as promised.

    Raises:
        ModelError: the wrong shape, or rows that are no probabilities.
    """
    shape = (streams, frames, len(CLASSES))
    if probabilities.shape != shape:
        expected = f"`probabilities` {shape} for {streams} × {frames * FRAME_SAMPLES} samples"
        raise ModelError(path, expected, str(probabilities.shape))
    if not np.isfinite(probabilities).all():
        raise ModelError(path, "finite `probabilities`", "NaN or infinity on a warm-up run")
    sums = probabilities.sum(axis=-1)
    if probabilities.min() < 0 or np.abs(sums - 1).max() > SUM_TOLERANCE:
        found = f"a row that sums to {sums.flat[np.abs(sums - 1).argmax()]:.4g}"
        found += f" and a smallest value of {probabilities.min():.4g} on a warm-up run"
        raise ModelError(path, "`probabilities` that are not negative and sum to 1", found)


def _fits(found: Sequence[Axis], promised: Shape) -> bool:
    return len(found) == len(promised) and all(
        isinstance(size, int) == (axis is not None) and axis in {None, int, size}
        for size, axis in zip(found, promised, strict=True)
    )


def _describe(promised: Shape) -> str:
    words = ("free" if axis is None else "fixed" if axis is int else str(axis) for axis in promised)
    return f"[{', '.join(words)}]"
