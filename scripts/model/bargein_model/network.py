"""The network: causal convolutions that hear phones, a GRU that weighs the evidence."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from bargein_model.contract import CLASS_NAMES
from bargein_model.features import REFERENCE_BANDS, USER_BANDS

WIDTH = 160
MEMORY = 176
REFERENCE_CONTEXT = 10
"""Frames of reference that one frame sees: an echo may be 250 ms late."""
DROPOUT = 0.1
DILATIONS = (1, 2, 4)
FEATURE_MEAN, FEATURE_SCALE = -5.5, 0.6
"""Rough centre and inverse spread of the log-mel features, the same for every band."""


class CausalConv(nn.Module):
    """A convolution over past frames, batch normalisation (folded at export), ReLU.

    Maps (batch, in, frames) to (batch, out, frames); before the first frame there were zeros.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.context = (kernel - 1) * dilation
        self.conv = nn.Conv1d(channels_in, channels_out, kernel, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(channels_out)

    def forward(self, frames: Tensor) -> Tensor:
        """Runs over whole sequences."""
        padded = nn.functional.pad(frames, (self.context, 0))
        return torch.relu(self.norm(self.conv(padded)))


class Network(nn.Module):
    """Features of both tracks to class logits per frame, with the evidence gathered so far."""

    def __init__(self) -> None:
        super().__init__()
        self.reference = CausalConv(REFERENCE_BANDS, 32, REFERENCE_CONTEXT)
        self.entry = CausalConv(2 * USER_BANDS + 32, WIDTH, 3)
        self.blocks = nn.ModuleList(CausalConv(WIDTH, WIDTH, 3, d) for d in DILATIONS)
        self.memory = nn.GRU(WIDTH, MEMORY, batch_first=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(MEMORY, len(CLASS_NAMES))

    def convolutions(self) -> Iterator[CausalConv]:
        """The residual blocks, first to last."""
        for block in self.blocks:
            assert isinstance(block, CausalConv)  # noqa: S101 - ModuleList loses the type
            yield block

    def trunk(self, user: Tensor, reference: Tensor) -> Tensor:
        """What is being said, without memory: (batch, frames, 160) from both feature streams."""
        heard = normalised(user).transpose(1, 2)
        played = self.reference(normalised(reference).transpose(1, 2))
        hidden: Tensor = self.entry(torch.cat([heard, played], 1))
        for block in self.convolutions():
            hidden = hidden + block(hidden)
        return hidden.transpose(1, 2)

    def forward(self, user: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch, frames, 5) and the trunk's output, which auxiliary heads read."""
        hidden = self.trunk(user, reference)
        gathered, _ = self.memory(self.dropout(hidden))
        logits: Tensor = self.head(self.dropout(gathered))
        return logits, hidden


def normalised(features: Tensor) -> Tensor:
    """Log-mel features moved to about zero mean and unit spread."""
    return (features - FEATURE_MEAN) * FEATURE_SCALE
