"""Fills shards: composes their overlaps, and lets the frozen ear hear them.

A shard is made from its number and the seed alone, so an interrupted run goes on where it stopped.
"""

from dataclasses import astuple

import numpy as np
import torch
from numpy.typing import NDArray

from bargein_model.composer.compose import Composer
from bargein_model.composer.shards import Shard
from bargein_model.composer.variation import draw_variation
from bargein_model.contract import FRAMES_PER_SECOND
from bargein_model.features import Floats, reference_features, user_features
from bargein_model.speech_embedding import Ear

SHARD_SIZE = 1024
SHORT_S, LONG_S = 4, 8
ONE_LONG_IN = 8
TOGETHER = 32
"""Overlaps that the ear hears at a time."""


def compose_shard(composer: Composer, ear: Ear, seed: int, number: int, *, varied: bool) -> Shard:
    """Composes the overlaps of a shard; `varied` ones for training, others to be examined on."""
    long = number % ONE_LONG_IN == ONE_LONG_IN - 1
    frames = (LONG_S if long else SHORT_S) * FRAMES_PER_SECOND
    size = SHARD_SIZE // 2 if long else SHARD_SIZE
    rows: list[tuple[object, ...]] = []
    spoken: list[Floats] = []
    for index in range(size):
        rng = np.random.default_rng([seed, number, index])
        overlap = composer.compose(rng, frames)
        features = user_features(overlap.audio)
        if varied:
            features = draw_variation(rng).of(features)
        spoken.append(features.speech_mel)
        rows.append(
            (
                features.log_mel.astype(np.float16),
                reference_features(overlap.reference).astype(np.float16),
                overlap.targets,
                np.int32(overlap.onset),
                np.int8(overlap.sound),
                np.array(astuple(overlap.nuisances), np.float32),
                "\n".join(sorted(overlap.sources)),
                overlap.said,
            )
        )
    user, reference, *others = (np.stack(column) for column in zip(*rows, strict=True))
    return Shard(user, reference, _heard(ear, np.stack(spoken)), *others)


def _heard(ear: Ear, speech_mel: Floats) -> NDArray[np.float16]:
    parts = np.array_split(speech_mel, -(-len(speech_mel) // TOGETHER))
    with torch.autocast("cpu", torch.bfloat16):
        return np.concatenate([ear(torch.from_numpy(p)).half().numpy() for p in parts])
