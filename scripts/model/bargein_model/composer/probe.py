"""A tiny classifier that sees only what must tell nothing: the line, the room, the source."""

from collections.abc import Iterator
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from bargein_model.composer.overlap import Nuisances
from bargein_model.composer.shards import Shard
from bargein_model.contract import SoundClass
from bargein_model.training.figures import auc

MATTERS: dict[SoundClass, frozenset[str]] = {
    SoundClass.NOISE: frozenset({"source_kind"}),
    SoundClass.ECHO: frozenset({"source_kind", "leak_db", "reference"}),
}
"""What is no nuisance but the class itself: nobody speaks in noise, an echo is a leak."""
STEPS, RATE, DECAY = 400, 0.5, 1e-3
LISTED = {"source_kind": 3, "codec": 4}
"""Nuisances that name one of several things, and how many."""


def probe_lines(shards: list[Shard]) -> Iterator[str]:
    """One line per pair of classes: how well nuisances alone tell them apart (AUC, 0.5 is not)."""
    values = np.concatenate([shard.nuisances for shard in shards])
    classes = np.concatenate([shard.classes for shard in shards])
    for other in (SoundClass.BACKCHANNEL, SoundClass.VOCAL, SoundClass.NOISE, SoundClass.ECHO):
        pair = (classes == SoundClass.INTERRUPTION) | (classes == other)
        wanted = classes[pair] == SoundClass.INTERRUPTION
        names = [f.name for f in fields(Nuisances) if f.name not in MATTERS.get(other, ())]
        everything = held_out_auc(_features(values[pair], names), wanted)
        alone = {name: held_out_auc(_features(values[pair], [name]), wanted) for name in names}
        worst = sorted(alone, key=lambda name: -alone[name])[:4]
        detail = ", ".join(f"{name} {alone[name]:.2f}" for name in worst)
        yield f"interruption or {other.name.lower()}: AUC {everything:.3f} ({detail})"


def held_out_auc(features: NDArray[np.float64], wanted: NDArray[np.bool_]) -> float:
    """Logistic regression on one half, examined on the other."""
    half = len(features) // 2
    weights = np.zeros(features.shape[1])
    inputs, answers = features[:half], wanted[:half].astype(np.float64)
    for _ in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-(inputs @ weights)))
        weights -= RATE * (inputs.T @ (chance - answers) / half + DECAY * weights)
    return auc((features[half:] @ weights).astype(np.float32), wanted[half:])


def _features(values: NDArray[np.float32], names: list[str]) -> NDArray[np.float64]:
    """Standardised values, their squares, and indicators for what is one of several things."""
    columns: list[NDArray[np.float64]] = [np.ones(len(values))]
    for index, field in enumerate(fields(Nuisances)):
        value = values[:, index].astype(np.float64)
        if field.name not in names:
            continue
        if field.name in LISTED:
            columns += [
                (value == choice).astype(np.float64) for choice in range(LISTED[field.name])
            ]
        elif value.std() > 0:
            standard = (value - value.mean()) / value.std()
            columns += [standard, standard**2]
    return np.stack(columns, axis=1)
