"""The exams that the command sets: reads the corpora, decodes what they need, plans the items."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

from bargein_model.composer.corpus import Corpus, check_sources
from bargein_model.evaluation import extra
from bargein_model.evaluation.material import Material
from bargein_model.evaluation.planning import Plan, plan_exam, plan_extra
from bargein_model.recordings import write_corpus

T = TypeVar("T")
EXTRA_PER_VOICE = 12
"""Extra items per group and pair of source and language."""


@dataclass(frozen=True, slots=True)
class Exam:
    """What is examined on.

    Args:
        corpora: folders with a manifest.csv.
        work: where decoded audio and extra voices are kept.
        left_out: sources of the training split to take interruptions from; none: the val split.
        seed: of everything that is drawn.
        items: per class under mixed conditions.
    """

    corpora: tuple[Path, ...]
    work: Path
    left_out: frozenset[str]
    seed: int
    items: int

    @property
    def cache(self) -> Path:
        """Where decoded reels are."""
        return self.work / "corpus"

    def plans(self) -> list[Plan]:
        """The items of the exam, their audio decoded.

        Raises:
            LackingError: the corpora do not have what an exam needs.
        """
        corpus = Corpus(self.corpora, self.cache, self.left_out)
        check_sources(self.left_out, (clip.source for clip in corpus.clips))
        material = Material(corpus, self.left_out)
        material.check()
        plans = plan_exam(material, seed=self.seed, items=self.items)
        return _decoded(corpus, plans)

    def extra_plans(self) -> list[Plan]:
        """The items of the extra exam, spoken (the first time) by what is installed."""
        folder = self.work / "extra"
        if not (folder / "manifest.csv").exists():
            said = extra.utterances()
            watched(write_corpus(folder, said, "val"), "speaking", len(said))
        corpus = Corpus((*self.corpora, folder), self.cache)
        clips = [clip for clip in corpus.clips if clip.reel.parent == folder]
        plans = plan_extra(Material(corpus), clips, seed=self.seed, items=EXTRA_PER_VOICE)
        return _decoded(corpus, plans)


def watched(things: Iterable[T], what: str, total: int) -> list[T]:
    """All of them, with a progress bar meanwhile."""
    with Progress(console=Console(stderr=True)) as progress:
        return list(progress.track(things, total=total, description=what))


def _decoded(corpus: Corpus, plans: list[Plan]) -> list[Plan]:
    reels = sorted({clip.reel for plan in plans for clip in plan.clips})
    watched(corpus.decode(reels), "decoding", len(reels))
    return plans
