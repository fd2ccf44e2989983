"""The network: an ear that came trained, convolutions for all else, a GRU to weigh the evidence."""

import torch
from torch import Tensor, nn

from bargein_model.composer.letters import LETTERS
from bargein_model.contract import CLASS_NAMES
from bargein_model.features import REFERENCE_BANDS, USER_BANDS
from bargein_model.speech_embedding import HEARD, Ear

SPOKEN = 96
"""What is kept of the speech embedding."""
WIDTH = 64
"""Of the convolutions, which hear sounds, levels and echoes."""
MEMORY = 192
REFERENCE_CONTEXT = 10
"""Frames of reference that one frame sees: an echo may be 250 ms late."""
FEATURE_MEAN, FEATURE_SCALE = -5.5, 0.6
"""Rough centre and inverse spread of the log-mel features, the same for every band."""


class CausalConv(nn.Module):
    """A convolution over past frames, batch normalisation (folded at export), ReLU.

    Maps (batch, in, frames) to (batch, out, frames); before the first frame there were zeros.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int) -> None:
        super().__init__()
        self.context = kernel - 1
        self.conv = nn.Conv1d(channels_in, channels_out, kernel, bias=False)
        self.norm = nn.BatchNorm1d(channels_out)

    def forward(self, frames: Tensor) -> Tensor:
        """Runs over whole sequences."""
        padded = nn.functional.pad(frames, (self.context, 0))
        return torch.relu(self.norm(self.conv(padded)))


class Network(nn.Module):
    """Features of both tracks to class logits per frame, with the evidence gathered so far.

    In training a second head reads along what is said: letters, and before them a blank.
    """

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.reference = CausalConv(REFERENCE_BANDS, 32, REFERENCE_CONTEXT)
        self.entry = CausalConv(2 * USER_BANDS + 32, WIDTH, 3)
        self.block = CausalConv(WIDTH, WIDTH, 3)
        self.ear = Ear()
        self.heard_norm = nn.BatchNorm1d(HEARD)
        self.heard = nn.Linear(HEARD, SPOKEN)
        self.memory = nn.GRU(WIDTH + SPOKEN, MEMORY, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(MEMORY, len(CLASS_NAMES))
        self.reader = nn.Linear(MEMORY, 1 + len(LETTERS))

    def forward(self, user: Tensor, reference: Tensor) -> Tensor:
        """Logits of the classes: (batch, frames, 5); see `gather`."""
        logits: Tensor = self.head(self.gather(user, reference, self.ear(user)))
        return logits

    def gather(self, user: Tensor, reference: Tensor, heard: Tensor) -> Tensor:
        """The evidence gathered so far, (batch, frames, 192), for `head` and `reader` to read.

        Args:
            user: log-mel features, (batch, frames, 80).
            reference: those of the reference, (batch, frames, 20).
            heard: what `ear` makes of the user's, (batch, frames, 288).
        """
        played = self.reference(normalised(reference).transpose(1, 2))
        sound = self.entry(torch.cat([normalised(user).transpose(1, 2), played], 1))
        sound = (sound + self.block(sound)).transpose(1, 2)
        even = self.heard_norm(heard.transpose(1, 2)).transpose(1, 2)
        spoken = torch.relu(self.heard(self.dropout(even)))
        gathered, _ = self.memory(self.dropout(torch.cat([sound, spoken], 2)))
        kept: Tensor = self.dropout(gathered)
        return kept


def normalised(features: Tensor) -> Tensor:
    """Log-mel features moved to about zero mean and unit spread."""
    return (features - FEATURE_MEAN) * FEATURE_SCALE
