"""A few overlaps of the tiny corpus, composed as `compose` does, to train on."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bargein_model.composer import filling
from bargein_model.composer.compose import Composer
from bargein_model.composer.corpus import Corpus, Role
from bargein_model.composer.pools import Pools
from bargein_model.composer.shards import shard_folder
from model.corpora import write_corpus

OVERLAPS = 16


@contextmanager
def small_shards() -> Generator[None]:
    """Whatever is composed meanwhile comes in shards of 16 overlaps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filling, "SHARD_SIZE", OVERLAPS)
        yield


def composed(folder: Path, *, shards: int) -> tuple[Path, Path]:
    """Fills a new folder; returns the corpus, and where `train` looks for shards."""
    root = write_corpus(folder / "corpus")
    corpus = Corpus([root], folder / "work" / "corpus")
    for _ in corpus.decode(corpus.reels):
        pass
    composer, there = (
        Composer(Pools(corpus, Role.TRAINING)),
        folder / "work" / "shards" / "training",
    )
    with small_shards():
        for number in range(shards):
            shard = filling.compose_shard(composer, 1, number, varied=True)
            shard.save(shard_folder(there, number))
    return root, there
