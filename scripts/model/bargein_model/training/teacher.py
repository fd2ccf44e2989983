"""A network that hears more than the one in training, and so can teach it."""

from typing import NamedTuple

import torch
from torch import Tensor

from bargein_model.network import Network
from bargein_model.training.batches import SILENCE, Batch
from bargein_model.training.loss import agreement_loss, followed_frames, hearing_loss


class Distance(NamedTuple):
    """How far a network is from its teacher; scalars."""

    hearing: Tensor
    """In what its ear hears …"""
    agreement: Tensor
    """… and in what it says."""


class Teacher:
    """Hears every voice alone, and overlaps without a voice as they are and what the agent played.

    Without the latter, a network that follows it forgets some of what it knew of noise and echoes.
    """

    def __init__(self, network: Network, device: str) -> None:
        self._network = network.requires_grad_(requires_grad=False).eval()
        self._device = device

    def distance(self, batch: Batch, heard: Tensor, logits: Tensor) -> Distance:
        """From a network that heard the batch as it is.

        Args:
            batch: what both heard.
            heard: what its ear made of it, (batch, frames, 288).
            logits: what it said, (batch, frames, 5).
        """
        followed = followed_frames(batch.targets)
        voice = followed.any(1)[:, None, None]
        user = torch.where(voice, batch.alone, batch.user).to(self._device)
        reference = batch.played.masked_fill(voice, SILENCE).to(self._device)
        with torch.no_grad(), torch.autocast(self._device, torch.bfloat16):
            clearly = self._network.ear(user)
            gathered = self._network.gather(user, reference, clearly)
            says = self._network.head(gathered).float()
        followed = (followed | ~voice.squeeze(2)).to(self._device)
        spread = self._network.heard_norm.get_buffer("running_var").sqrt()
        hearing = hearing_loss(heard / spread, clearly.float() / spread, followed)
        return Distance(hearing, agreement_loss(logits, says, followed))
