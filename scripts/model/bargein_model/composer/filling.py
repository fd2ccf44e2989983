"""Fills shards with composed overlaps, as features.

A shard is made from its number and the seed alone, so an interrupted run goes on where it stopped.
"""

from dataclasses import astuple

import numpy as np

from bargein_model.composer.compose import Composer
from bargein_model.composer.shards import Shard
from bargein_model.composer.variation import draw_variation
from bargein_model.contract import FRAMES_PER_SECOND
from bargein_model.features import reference_features, user_features

SHARD_SIZE = 1024
SHORT_S, LONG_S = 4, 8
ONE_LONG_IN = 8


def compose_shard(composer: Composer, seed: int, number: int, *, varied: bool) -> Shard:
    """Composes the overlaps of a shard; `varied` ones for training, others to be examined on."""
    long = number % ONE_LONG_IN == ONE_LONG_IN - 1
    frames = (LONG_S if long else SHORT_S) * FRAMES_PER_SECOND
    size = SHARD_SIZE // 2 if long else SHARD_SIZE
    rows: list[tuple[object, ...]] = []
    for index in range(size):
        rng = np.random.default_rng([seed, number, index])
        overlap = composer.compose(rng, frames)
        user, alone = user_features(overlap.audio), user_features(overlap.alone)
        if varied:
            variation = draw_variation(rng)
            user, alone = variation.of(user), variation.in_full().of(alone)
        rows.append(
            (
                user.astype(np.float16),
                reference_features(overlap.reference).astype(np.float16),
                alone.astype(np.float16),
                overlap.targets,
                np.int32(overlap.onset),
                np.int8(overlap.sound),
                np.array(astuple(overlap.nuisances), np.float32),
                "\n".join(sorted(overlap.sources)),
                overlap.said,
            )
        )
    return Shard(*(np.stack(column) for column in zip(*rows, strict=True)))
