"""Composed overlaps on disk, as features: folders of arrays that training reads again and again."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import numpy as np
from numpy.typing import NDArray


class StaleShardError(ValueError):
    """A shard that an earlier version composed."""


@dataclass(frozen=True)
class Shard:
    """Arrays whose first axis is the overlap."""

    user: NDArray[np.float16]
    reference: NDArray[np.float16]
    alone: NDArray[np.float16]
    """Features like `user`'s, of the sound without what is around it."""
    targets: NDArray[np.int8]
    onsets: NDArray[np.int32]
    """In samples."""
    classes: NDArray[np.int8]
    nuisances: NDArray[np.float32]
    sources: NDArray[np.str_]
    """The names of the sources in each, one a line."""
    said: NDArray[np.str_]
    """In letters; empty where it is not known."""

    def without(self, left_out: Collection[str]) -> NDArray[np.intp]:
        """The overlaps in which none of these sources has a part."""
        kept = [not set(names.split("\n")) & set(left_out) for names in self.sources.tolist()]
        return np.flatnonzero(kept)

    def save(self, folder: Path) -> None:
        """Writes the shard; a folder of that name is complete or not there."""
        part = folder.with_name(folder.name + ".part")
        if part.exists():
            rmtree(part)
        part.mkdir(parents=True)
        for name, array in vars(self).items():
            np.save(_column(part, name), array)
        part.rename(folder)

    @classmethod
    def load(cls, folder: Path) -> "Shard":
        """Reads a shard into memory.

        Raises:
            StaleShardError: it lacks something that shards hold by now.
        """
        if missing := [name for name in cls.__annotations__ if not _column(folder, name).exists()]:
            message = f"{folder}: composed by an earlier version (without {', '.join(missing)})"
            raise StaleShardError(f"{message}; remove it and compose again")
        return cls(**{name: np.load(_column(folder, name)) for name in cls.__annotations__})


def _column(folder: Path, name: str) -> Path:
    return folder / f"{name}.npy"


def shard_folder(root: Path, number: int) -> Path:
    """Where a shard lies."""
    return root / f"shard-{number:05d}"


def complete_shards(root: Path) -> list[Path]:
    """The shards that are there, in order of their numbers."""
    return sorted(path for path in root.glob("shard-*") if not path.name.endswith(".part"))


def wait_for_shards(root: Path) -> list[Path]:
    """The complete ones, as soon as there is one: training may run beside composing."""
    while not (folders := complete_shards(root)):
        time.sleep(5)
    return folders
