"""How the weights move: matrices all at once (Muon), all else each by itself (AdamW)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bargein_model.network import Network

EAR_SHARE = 0.3
"""Of the rate at which the ear learns, against the rest, which begins from nothing."""
GATES = 3
"""Matrices that lie in one in the memory's weights."""
KERNEL_AXES = 4
EACH_BY_ITSELF = ("head.", "reader.")
"""What the network ends with, beside all biases and normalisations."""


@dataclass(frozen=True)
class Matrix:
    """Weights, or some of their outputs, as one row per output."""

    weights: nn.Parameter
    outputs: slice
    rows: nn.Parameter
    """In the memory of the weights."""

    @classmethod
    def of(cls, weights: nn.Parameter, outputs: slice) -> "Matrix":
        """These outputs of some weights."""
        rows = _channels_last(weights.detach()).view(len(weights), -1)
        return cls(weights, outputs, nn.Parameter(rows[outputs]))

    def take_gradient(self) -> None:
        """Lets the optimizer see the weights' gradient; none while they stay as they are."""
        gradient = self.weights.grad
        if gradient is not None:
            self.rows.grad = _channels_last(gradient).flatten(1)[self.outputs]


class Optimizer:
    """Moves a network's weights against their gradients.

    A step of a matrix goes equally far in all directions that its gradient has: Jordan et al.,
    "Muon: An optimizer for hidden layers in neural networks" (2024), with the length that an AdamW
    step would have (Liu et al., "Muon is scalable for LLM training", 2025).
    """

    def __init__(self, network: Network, decay: float) -> None:
        alone: dict[float, list[nn.Parameter]] = {1.0: [], EAR_SHARE: []}
        together: dict[float, list[Matrix]] = {1.0: [], EAR_SHARE: []}
        for name, weights in network.named_parameters():
            share = EAR_SHARE if name.startswith("ear.") else 1.0
            if weights.dim() == 1 or name.startswith(EACH_BY_ITSELF):
                alone[share].append(weights)
            else:
                together[share] += _matrices(name, weights)
        self._matrices = [matrix for several in together.values() for matrix in several]
        rows = [
            {"params": [matrix.rows for matrix in several], "share": share}
            for share, several in together.items()
        ]
        rest = [{"params": several, "share": share} for share, several in alone.items()]
        muon = torch.optim.Muon(rows, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
        self._muon: torch.optim.Optimizer = muon
        self._adam: torch.optim.Optimizer = torch.optim.AdamW(rest, weight_decay=decay)

    def step(self, rate: float) -> None:
        """Moves what has a gradient, the ear more slowly, and forgets the gradients."""
        for matrix in self._matrices:
            matrix.take_gradient()
        for optimizer in (self._muon, self._adam):
            for group in optimizer.param_groups:
                group["lr"] = group["share"] * rate
            optimizer.step()
            optimizer.zero_grad()
        for matrix in self._matrices:
            matrix.weights.grad = None

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs."""
        return {"together": self._muon.state_dict(), "alone": self._adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from there."""
        self._muon.load_state_dict(state["together"])
        self._adam.load_state_dict(state["alone"])


def _matrices(name: str, weights: nn.Parameter) -> Iterator[Matrix]:
    count = GATES if name.startswith("memory.") else 1
    each = len(weights) // count
    for first in range(0, len(weights), each):
        yield Matrix.of(weights, slice(first, first + each))


def _channels_last(weights: Tensor) -> Tensor:
    """As the ear's kernels, (out, in, time, bands), lie in memory; others as they are."""
    return weights.permute(0, 2, 3, 1) if weights.dim() == KERNEL_AXES else weights
