"""All answers to an exam, as arrays, and the figures that follow from them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bargein_model.contract import FRAME_SAMPLES, SAMPLE_RATE
from bargein_model.evaluation import metrics
from bargein_model.evaluation.intervals import Interval, bootstrap, clustered
from bargein_model.evaluation.items import Condition, Facts, Group
from bargein_model.evaluation.metrics import Array, Flags

LIMITS_MS = (300.0, 500.0, 700.0, 1000.0)
EVER = np.inf
_WEIGHTS = np.array([group.weight for group in Group])
FRAME_MS = FRAME_SAMPLES * 1000 / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Trial:
    """One item and what was said about it."""

    facts: Facts
    flagged: Mapping[str, int | None]
    """By system: the position of its first interruption verdict."""
    scores: Mapping[str, float]
    """By system, where it has one: how much the whole item looks like an interruption."""
    frames: tuple[float, ...]
    """The model's probability of an interruption per 25 ms frame from the onset on."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Sheet:
    """The answers to some items; those of a group share its weight (`Group.weight`)."""

    def __init__(self, trials: Iterable[Trial]) -> None:
        self.trials: Sequence[Trial] = tuple(trials)
        self._delays: dict[str, Array] = {}

    def where(self, wanted: Callable[[Facts], bool]) -> "Sheet":
        """The part of the sheet about some of the items."""
        return Sheet(trial for trial in self.trials if wanted(trial.facts))

    def of(self, *groups: Group) -> "Sheet":
        """The part of the sheet about these groups."""
        return self.where(lambda facts: facts.group in groups)

    def under(self, condition: Condition) -> "Sheet":
        """The part of the sheet about one condition."""
        return self.where(lambda facts: facts.condition is condition)

    def by(self, attribute: Callable[[Facts], str]) -> "dict[str, Sheet]":
        """The sheet in parts that share an attribute, in the order of its values."""
        parts: dict[str, list[Trial]] = {}
        for trial in self.trials:
            parts.setdefault(attribute(trial.facts), []).append(trial)
        return {name: Sheet(parts[name]) for name in sorted(parts)}

    def __len__(self) -> int:
        return len(self.trials)

    @cached_property
    def positive(self) -> Flags:
        """Which items are interruptions."""
        return np.array([trial.facts.group.interrupts for trial in self.trials], bool)

    @cached_property
    def sounding_ms(self) -> Array:
        """How long each item's content sounds."""
        return np.array([trial.facts.sounding_ms for trial in self.trials])

    def delays(self, system: str) -> Array:
        """See `metrics.delay_ms`."""
        if system not in self._delays:
            self._delays[system] = np.array(
                [
                    metrics.delay_ms(trial.flagged[system], trial.facts.onset, trial.facts.content)
                    for trial in self.trials
                ]
            )
        return self._delays[system]

    def heard_ms(self, system: str) -> Array:
        """Sound from the onset to the verdict; infinite without one."""
        return np.array(
            [
                np.inf if (at := trial.flagged[system]) is None else _ms(at - trial.facts.onset)
                for trial in self.trials
            ]
        )

    def weights(self, drawn: Array | None = None) -> Array:
        """Every item's weight: its group's, shared by the items of the group that were drawn."""
        drawn = np.ones(len(self.trials)) if drawn is None else drawn
        counts = np.bincount(self._group, drawn, len(Group))
        each: Array = np.divide(_WEIGHTS, counts, out=np.zeros(len(Group)), where=counts > 0)
        weights: Array = each[self._group] * drawn
        return weights

    @cached_property
    def _group(self) -> NDArray[np.int64]:
        order = {group: place for place, group in enumerate(Group)}
        return np.array([order[trial.facts.group] for trial in self.trials], np.int64)

    def found(self, system: str, limit_ms: float = EVER, drawn: Array | None = None) -> float:
        """The share of interruptions found, of those that sound that long."""
        mask = self.positive & metrics.sounds_long_enough(self.sounding_ms, limit_ms)
        hits = metrics.found(self.delays(system), limit_ms)
        return metrics.share(hits, self.weights(drawn) * mask)

    def false_alarms(
        self, system: str, limit_ms: float = EVER, drawn: Array | None = None
    ) -> float:
        """The share of non-interruptions called one."""
        hits = metrics.flagged(self.delays(system), limit_ms)
        return metrics.share(hits, self.weights(drawn) * ~self.positive)

    def early(self, system: str) -> float:
        """The share of all items called an interruption before their sound began."""
        return metrics.share(self.delays(system) == metrics.EARLY, self.weights())

    def precision(self, system: str, limit_ms: float, drawn: Array | None = None) -> float:
        """Precision of the verdicts given by then, at 47 % interruptions."""
        return metrics.precision(
            self.found(system, limit_ms, drawn), self.false_alarms(system, limit_ms, drawn)
        )

    def to_decide_ms(self, system: str, level: float, drawn: Array | None = None) -> float:
        """A quantile of the audio from the onset that it took to find an interruption."""
        weights = self.weights(drawn) * metrics.found(self.delays(system)) * self.positive
        used = weights > 0
        return metrics.quantile(self.heard_ms(system)[used], weights[used], level)

    def auc(self, system: str, drawn: Array | None = None) -> float:
        """The chance that an interruption scores higher than another sound."""
        scores = np.array([trial.scores.get(system, np.nan) for trial in self.trials])
        if not len(scores) or np.isnan(scores).any():
            return float("nan")
        return metrics.auc(scores, self.positive, self.weights(drawn))

    def evidence(self, limit_ms: float = EVER) -> Array:
        """Per item the model's highest evidence by then, whatever the threshold."""
        count = None if np.isinf(limit_ms) else int(limit_ms / FRAME_MS)
        return np.array([metrics.evidence(np.array(t.frames[:count])) for t in self.trials])

    def interval(self, figure: Callable[[Array], float]) -> Interval:
        """95 % by bootstrap over speakers within each group."""
        return bootstrap(
            [trial.facts.speaker for trial in self.trials],
            figure,
            strata=[trial.facts.group.name for trial in self.trials],
        )

    def right(self, system: str) -> Figure:
        """Of one group's items: the share found (or, of the others, held), with its interval."""
        delays = self.delays(system)
        hits = np.where(self.positive, metrics.found(delays), ~metrics.flagged(delays))
        low, high = clustered(hits, [trial.facts.clip or trial.facts.name for trial in self.trials])
        return Figure(float(hits.mean()) if len(hits) else float("nan"), low, high)


def _ms(samples: int) -> float:
    return samples * 1000 / SAMPLE_RATE
