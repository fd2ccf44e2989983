"""Composed overlaps on disk, as features: folders of arrays that training reads again and again.

A shard is made from its number and the seed alone, so an interrupted run goes on where it stopped.
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from shutil import rmtree

import numpy as np
from numpy.typing import NDArray

from bargein_model.composer.compose import Composer
from bargein_model.contract import FRAMES_PER_SECOND
from bargein_model.features import reference_features, user_features

SHARD_SIZE = 1024
SHORT_S, LONG_S = 4, 8
ONE_LONG_IN = 8


@dataclass(frozen=True)
class Shard:
    """Arrays whose first axis is the overlap."""

    user: NDArray[np.float16]
    reference: NDArray[np.float16]
    targets: NDArray[np.int8]
    ticks: NDArray[np.int32]
    onsets: NDArray[np.int32]
    """In samples."""
    classes: NDArray[np.int8]
    nuisances: NDArray[np.float32]

    def save(self, folder: Path) -> None:
        """Writes the shard; a folder of that name is complete or not there."""
        part = folder.with_name(folder.name + ".part")
        if part.exists():
            rmtree(part)
        part.mkdir(parents=True)
        for name, array in vars(self).items():
            np.save(part / f"{name}.npy", array)
        part.rename(folder)

    @classmethod
    def load(cls, folder: Path) -> "Shard":
        """Reads a shard into memory."""
        return cls(**{name: np.load(folder / f"{name}.npy") for name in cls.__annotations__})


def shard_folder(root: Path, number: int) -> Path:
    """Where a shard lies."""
    return root / f"shard-{number:05d}"


def complete_shards(root: Path) -> list[Path]:
    """The shards that are there, in order of their numbers."""
    return sorted(path for path in root.glob("shard-*") if not path.name.endswith(".part"))


def compose_shard(composer: Composer, seed: int, number: int) -> Iterator[Shard | int]:
    """Yields how many overlaps are done, and the shard at the end."""
    long = number % ONE_LONG_IN == ONE_LONG_IN - 1
    frames = (LONG_S if long else SHORT_S) * FRAMES_PER_SECOND
    size = SHARD_SIZE // 2 if long else SHARD_SIZE
    rows: list[tuple[object, ...]] = []
    for index in range(size):
        overlap = composer.compose(np.random.default_rng([seed, number, index]), frames)
        rows.append(
            (
                user_features(overlap.audio).astype(np.float16),
                reference_features(overlap.reference).astype(np.float16),
                overlap.targets,
                overlap.ticks,
                np.int32(overlap.onset),
                np.int8(overlap.sound),
                np.array(astuple(overlap.nuisances), np.float32),
            )
        )
        yield index + 1
    yield Shard(*(np.stack(column) for column in zip(*rows, strict=True)))
