"""What a network was, so that teaching it one thing does not cost it another.

Without it, whatever a network is taught moves all that it says: Li and Hoiem (2016), "Learning
without Forgetting".
"""

from collections.abc import Callable, Collection

import torch
from torch import Tensor
from torch.nn import functional

from bargein_model.composer.overlap import BEFORE_ONSET
from bargein_model.contract import SoundClass
from bargein_model.network import Network
from bargein_model.training.batches import Batch
from bargein_model.training.loss import frame_weights

TAUGHT_WEIGHT, KEPT_WEIGHT = 2.0, 4.0
BEFORE_ONSET_WEIGHT = 0.3
"""Of what is kept: noise may have opened an overlap long before."""


class Keeper:
    """Holds a network to what another says of all overlaps but those of some classes.

    Args:
        network: what it was. Both have the same ear, which stays as it is.
        taught: the classes; an overlap in which one of them is heard is taught by its targets.
        device: of both.
    """

    def __init__(self, network: Network, taught: Collection[SoundClass], device: str) -> None:
        self._network = network.requires_grad_(requires_grad=False).eval()
        self._taught = torch.tensor(sorted(taught))
        self._device = device

    def loss(
        self,
        batch: Batch,
        heard: Tensor,
        logits: Tensor,
        verdicts: Callable[[Tensor, Tensor], Tensor],
    ) -> Tensor:
        """Of what it says of a batch; a scalar.

        Args:
            batch: what both hear.
            heard: what the ear made of it, (batch, frames, 288).
            logits: what it says, (batch, frames, 5).
            verdicts: the loss of logits and targets, of the overlaps that are taught.
        """
        taught = torch.isin(batch.targets, self._taught).any(1)
        loss, targets = logits.sum() * 0.0, batch.targets.to(self._device)
        if taught.any():
            share = TAUGHT_WEIGHT * float(taught.float().mean())
            loss = loss + share * verdicts(logits[taught], targets[taught])
        if not taught.all():
            said = self._said(batch, heard)[~taught]
            loss = loss + KEPT_WEIGHT * _divergence(logits[~taught], said, targets[~taught])
        return loss

    def _said(self, batch: Batch, heard: Tensor) -> Tensor:
        user, reference = batch.user.to(self._device), batch.reference.to(self._device)
        with torch.no_grad(), torch.autocast(self._device, torch.bfloat16):
            gathered = self._network.gather(user, reference, heard)
            said: Tensor = self._network.head(gathered).float()
        return said


def _divergence(logits: Tensor, said: Tensor, targets: Tensor) -> Tensor:
    """Kullback and Leibler's, from what was said; undecided frames count, too."""
    weights = frame_weights(targets.clamp(min=BEFORE_ONSET))
    weights = torch.where(targets == BEFORE_ONSET, BEFORE_ONSET_WEIGHT, weights)
    terms = functional.kl_div(
        logits.log_softmax(-1), said.log_softmax(-1), reduction="none", log_target=True
    ).sum(-1)
    return (terms * weights).sum() / weights.sum()
