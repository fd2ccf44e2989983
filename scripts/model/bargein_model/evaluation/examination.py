"""Composes the planned items and puts each to the model and to the rules, on all cores."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bargein_protocol.options import MAX_BOUNDARY_MS, Options
from bargein_server.models.predictor import SyncPredictor

from bargein_model.composer.corpus import Corpus
from bargein_model.evaluation import metrics
from bargein_model.evaluation.composing import compose
from bargein_model.evaluation.deciding import Onset, Subject
from bargein_model.evaluation.items import Item
from bargein_model.evaluation.planning import Plan
from bargein_model.evaluation.rules import RULES, ears
from bargein_model.evaluation.sheet import Trial
from bargein_model.evaluation.tables import BEGUN, ORACLE, SHIPPED, TRUE_ONSET
from bargein_model.workers import end_with_parent

RULE_NAMES = tuple(rule.name for rule in RULES)
SYSTEMS = (SHIPPED, BEGUN, *RULE_NAMES)
"""Everyone with nobody's help …"""
ORACLE_SYSTEMS = (ORACLE, *(rule.name + TRUE_ONSET for rule in RULES))
"""… and told where the sound begins, so that what sounded before does not count."""
CHUNK = 8


@dataclass(frozen=True, slots=True)
class Setting:
    """What every examiner process needs to know."""

    model: Path | None
    """An ONNX file; None: the shipped one."""
    threshold: float | None
    """None: the model's own default."""
    cache: Path
    """Where decoded reels are."""


class Examiner:
    """Puts items to a model and to the rules."""

    def __init__(self, predictor: SyncPredictor, options: Options) -> None:
        self._subject = Subject(predictor, options)
        self._begun = Subject(predictor, options, boundary_ms=MAX_BOUNDARY_MS)
        self._ears = ears()

    def examine(self, item: Item) -> Trial:
        """Everyone's answer to one item."""
        frames = self._subject.frames(item)
        heard = {name: ear(item) for name, ear in self._ears.items()}
        flagged: dict[str, int | None] = {
            SHIPPED: self._subject.flagged(item, Onset.SERVER),
            BEGUN: self._begun.flagged(item, Onset.SERVER),
            ORACLE: self._subject.flagged(item, Onset.TRUE),
        }
        evidence = metrics.evidence(np.array(frames))
        scores: dict[str, float] = dict.fromkeys((SHIPPED, BEGUN, ORACLE), evidence)
        for rule in RULES:
            ear = heard[rule.ear]
            for name, start in ((rule.name, 0), (rule.name + TRUE_ONSET, item.facts.onset)):
                flagged[name] = ear.fires(rule.needed_ms, start)
                scores[name] = ear.longest_ms(start)
        return Trial(item.facts, flagged, scores, frames)


def examine_all(plans: Sequence[Plan], setting: Setting, jobs: int) -> Iterator[Trial]:
    """The answers to all items, in order, `jobs` at a time."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _Worker.start, (setting,)) as pool:
        yield from pool.map(_Worker.examine, plans, chunksize=CHUNK)


class _Worker:
    """What one process holds from item to item."""

    examiner: Examiner
    corpus: Corpus

    @classmethod
    def start(cls, setting: Setting) -> None:
        end_with_parent()
        predictor = SyncPredictor.open(setting.model)
        cls.examiner = Examiner(predictor, Options(threshold=setting.threshold))
        cls.corpus = Corpus((), setting.cache)

    @classmethod
    def examine(cls, plan: Plan) -> Trial:
        return cls.examiner.examine(compose(plan, cls.corpus))
