"""What a list of answers is worth. Plain functions on arrays; times in milliseconds.

A *delay* is the moment of the interruption verdict minus the moment that the content began, never
below 0; infinite where none came, and `EARLY` where one came before the sound itself.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

EARLY = -1.0
PRIOR = 0.47
"""Share of interruptions among overlaps for which precision is stated."""


def delay_ms(flagged: int | None, onset: int, content: int, rate: int = 16_000) -> float:
    """The delay of a verdict at position `flagged` (None: it never came)."""
    if flagged is None:
        return np.inf
    if flagged <= onset:
        return EARLY
    return max(0.0, (flagged - content) * 1000 / rate)


def found(delays: Array, limit_ms: float = np.inf) -> Flags:
    """Which interruptions were found by `limit_ms`; a verdict before the sound is no find."""
    return (delays >= 0) & (delays <= limit_ms) & np.isfinite(delays)


def flagged(delays: Array, limit_ms: float = np.inf) -> Flags:
    """Which non-interruptions were called one by `limit_ms`; before the sound counts too."""
    return (delays <= limit_ms) & np.isfinite(delays)


def sounds_long_enough(sounding_ms: Array, limit_ms: float) -> Flags:
    """Which items can be asked whether they were found by `limit_ms`: they sound that long."""
    if np.isinf(limit_ms):
        return np.ones(len(sounding_ms), bool)
    return sounding_ms >= limit_ms


def share(hits: Flags, weights: Array) -> float:
    """The weighted share of hits; NaN without items."""
    total = float(weights.sum())
    return float((hits * weights).sum()) / total if total > 0 else float("nan")


def precision(recall: float, false_alarms: float, prior: float = PRIOR) -> float:
    """The share of true ones among what is called an interruption, at this prior."""
    right, wrong = prior * recall, (1 - prior) * false_alarms
    return right / (right + wrong) if right + wrong > 0 else float("nan")


def quantile(values: Array, weights: Array, level: float) -> float:
    """The smallest value at or under which `level` of the weight lies; NaN without values."""
    if not len(values):
        return float("nan")
    order = np.argsort(values, kind="stable")
    reached: Array = np.cumsum(weights[order])
    at = int(np.count_nonzero(reached < level * float(reached[-1]) * (1 - 1e-12)))
    return float(values[order][min(at, len(values) - 1)])


def auc(scores: Array, positive: Flags, weights: Array) -> float:
    """The chance that a positive scores over a negative (ties: half); NaN if one side lacks."""
    good, bad = weights * positive, weights * ~positive
    if good.sum() <= 0 or bad.sum() <= 0:
        return float("nan")
    _, places = np.unique(scores, return_inverse=True)
    good_at, bad_at = np.bincount(places, good), np.bincount(places, bad)
    below = np.cumsum(bad_at) - bad_at
    return float((good_at * (below + bad_at / 2)).sum() / (good.sum() * bad.sum()))


def error_curve(scores: Array, positive: Flags, weights: Array) -> tuple[Array, Array]:
    """(false alarms, misses) at every threshold, from the highest one down."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    good, bad = (weights * positive)[order], (weights * ~positive)[order]
    alarms = np.cumsum(bad)[last] / max(bad.sum(), 1e-12)
    misses = 1 - np.cumsum(good)[last] / max(good.sum(), 1e-12)
    return np.insert(alarms, 0, 0.0), np.insert(misses, 0, 1.0)


def evidence(frames: Array, min_frames: int = 2) -> float:
    """The highest value that `min_frames` consecutive frames reached; 0 without as many."""
    if len(frames) < min_frames:
        return 0.0
    runs: Array = np.lib.stride_tricks.sliding_window_view(frames, min_frames)
    return float(np.max(runs.min(axis=1)))


def reliability(
    probabilities: Array, positive: Flags, weights: Array, bins: int = 10
) -> tuple[Array, Array, Array]:
    """Per bin of equal width: mean probability, share of positives, share of all weight."""
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    mass = np.bincount(place, weights, bins)
    held = mass > 0
    mean = np.bincount(place, weights * probabilities, bins)[held] / mass[held]
    true = np.bincount(place, weights * positive, bins)[held] / mass[held]
    return mean, true, mass[held] / mass.sum()


def calibration_error(probabilities: Array, positive: Flags, weights: Array) -> float:
    """The mean gap between what was said and what was so (expected calibration error)."""
    mean, true, mass = reliability(probabilities, positive, weights)
    return float((np.abs(mean - true) * mass).sum())
