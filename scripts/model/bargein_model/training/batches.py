"""Overlaps as tensors: those of a shard in any order, in other surroundings at every visit."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bargein_model.composer.shards import Shard
from bargein_model.training.surroundings import Around, Taught, elsewhere

SILENCE = -9.0
"""The features of digital silence."""
DEAF_SHARE = 0.3
"""Share of overlaps whose reference is taken away: many agents do not send theirs."""
USUAL_FRAMES = 160
"""Of the overlaps that a batch's size counts; of longer ones there are fewer in it."""


@dataclass(frozen=True)
class Batch:
    """Some overlaps, as `Network` takes them, and what is taught about them."""

    user: Tensor
    """(batch, frames, 80)."""
    reference: Tensor
    """(batch, frames, 20); silence where it is taken away …"""
    played: Tensor
    """… and what it was: (batch, frames, 20)."""
    alone: Tensor
    """(batch, frames, 80): the sound without what is around it."""
    targets: Tensor
    """(batch, frames)."""
    said: list[str]


def batches(
    shard: Shard, chosen: NDArray[np.intp], size: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """All overlaps chosen once, but for a last few that fill no batch."""
    size = max(1, min(size * USUAL_FRAMES // shard.user.shape[1], len(chosen)))
    order, around = rng.permutation(chosen), Around.of(shard, chosen)
    for start in range(0, len(order) - size + 1, size):
        rows = np.sort(order[start : start + size]).tolist()
        drawn = (elsewhere(Taught.of(shard, row), around, rng) for row in rows)
        user, reference, alone, targets, said = zip(*drawn, strict=True)
        deaf = torch.from_numpy(rng.random(size) < DEAF_SHARE)
        played = torch.from_numpy(np.stack(reference))
        yield Batch(
            torch.from_numpy(np.stack(user)),
            played.masked_fill(deaf[:, None, None], SILENCE),
            played,
            torch.from_numpy(np.stack(alone)),
            torch.from_numpy(np.stack(targets)).long(),
            list(said),
        )
