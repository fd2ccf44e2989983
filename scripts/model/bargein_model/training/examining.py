"""What a network says about composed overlaps."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bargein_model.composer.overlap import BEFORE_ONSET, UNDECIDED
from bargein_model.composer.shards import Shard
from bargein_model.contract import FRAME_SAMPLES, SoundClass
from bargein_model.network import Network
from bargein_model.training.batches import SILENCE
from bargein_model.training.figures import Examined


@torch.no_grad()
def examine(network: Network, folders: list[Path], device: str, *, alone: bool = False) -> Examined:
    """What the network says about shards, or about their sounds alone.

    Only shards of one length go together.
    """
    network.eval()
    evidence: list[NDArray[np.float32]] = []
    classes: list[NDArray[np.int8]] = []
    onsets: list[NDArray[np.int32]] = []
    preceded: list[NDArray[np.bool_]] = []
    for folder in folders:
        shard = Shard.load(folder)
        for rows in np.array_split(np.arange(len(shard.user)), 16):
            user = shard.alone if alone else shard.user
            parts = [torch.from_numpy(part[rows]).float() for part in (user, shard.reference)]
            heard, played = (part.to(device) for part in parts)
            logits = network(heard, torch.full_like(played, SILENCE) if alone else played)
            chance = logits.softmax(-1)[..., int(SoundClass.INTERRUPTION)].cpu().numpy()
            chance[shard.targets[rows] == BEFORE_ONSET] = -1.0
            evidence.append(chance)
        classes.append(shard.classes)
        onsets.append(_decided_from(shard))
        preceded.append(_preceded(shard))
    return Examined(
        np.concatenate(evidence),
        np.concatenate(classes),
        np.concatenate(onsets),
        np.concatenate(preceded),
    )


def _preceded(shard: Shard) -> NDArray[np.bool_]:
    """Whether an interruption follows on an echo, a noise or a cough; not on a backchannel."""
    begun = np.argmax(shard.targets != BEFORE_ONSET, axis=1)[:, None]
    first = np.take_along_axis(shard.targets, begun, axis=1)[:, 0]
    words = np.isin(first, (SoundClass.INTERRUPTION, SoundClass.BACKCHANNEL, UNDECIDED))
    return np.asarray((shard.classes == SoundClass.INTERRUPTION) & ~words)


def _decided_from(shard: Shard) -> NDArray[np.int32]:
    """Where the overlap's final class begins: its onset, or where an interruption follows."""
    final = shard.targets == shard.classes[:, None]
    return np.asarray(np.argmax(final, axis=1) * FRAME_SAMPLES, np.int32)
