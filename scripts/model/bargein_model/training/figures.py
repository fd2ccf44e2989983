"""The figures a training run steers by, from probabilities per frame."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bargein_model.contract import FRAME_SAMPLES, FRAMES_PER_SECOND, SoundClass

MIN_FRAMES = 2
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Examined:
    """What a network said about a set of overlaps."""

    evidence: Floats
    """(overlaps, frames): the probability of an interruption; -1 before the onset and past the
    moment up to which the overlap's class is taught."""
    classes: NDArray[np.int8]
    onsets: NDArray[np.int32]
    """Where the overlap's class begins, in samples; an interruption may follow on something."""
    preceded: NDArray[np.bool_]
    """Whether it follows on a sound that is no word: what is decided in that sound is no find."""

    def shifted(self, by: float) -> "Examined":
        """What the network would say with this added to its log odds of an interruption."""
        chance = np.clip(self.evidence, 1e-6, 1 - 1e-6)
        moved = 1 / (1 + np.exp(-by) * (1 - chance) / chance)
        return replace(self, evidence=np.where(self.evidence < 0, -1, moved).astype(np.float32))

    def found_after_ms(self, threshold: float) -> Floats:
        """Audio from onset to decision per overlap; infinite if never, or in another sound."""
        over = self.evidence >= threshold
        run = over[:, 1:] & over[:, :-1]
        first = np.argmax(run, axis=1) + 2
        after = first * FRAME_SAMPLES - np.maximum(self.onsets, 0)
        found = run.any(axis=1) & ~(self.preceded & (after <= 0))
        return np.where(found, after / 16.0, np.inf).astype(np.float32)


@dataclass(frozen=True)
class Figures:
    """Yield and hold, in total and by class, at one threshold."""

    threshold: float
    found: float
    hold: float
    found_by_500_ms: float
    false_by_500_ms: float
    median_ms: float
    hold_of: dict[str, float]

    def line(self) -> str:
        """One line for a log."""
        holds = " ".join(f"{name[:4]} {share:.3f}" for name, share in self.hold_of.items())
        return (
            f"@{self.threshold:.2f} yield {self.found:.3f} hold {self.hold:.3f}"
            f" | by 500 ms {self.found_by_500_ms:.3f}/{self.false_by_500_ms:.3f}"
            f" | median {self.median_ms:.0f} ms | hold: {holds}"
        )


def figures(examined: Examined, threshold: float) -> Figures:
    """Everything at one threshold; the rest's share is the mean over its four classes."""
    after = examined.found_after_ms(threshold)
    wanted = examined.classes == SoundClass.INTERRUPTION
    found = after[wanted]
    others = [sound for sound in SoundClass if sound is not SoundClass.INTERRUPTION]
    held = {s.name.lower(): np.isinf(after[examined.classes == s]).mean() for s in others}
    early = [np.mean(after[examined.classes == s] <= 500) for s in others]
    return Figures(
        threshold,
        float(np.isfinite(found).mean()),
        float(np.mean(list(held.values()))),
        float((found <= 500).mean()),
        float(np.mean(early)),
        float(np.median(found)),
        {name: float(share) for name, share in held.items()},
    )


def best_threshold(examined: Examined) -> float:
    """The threshold that does best: in the end, and with half that weight after half a second."""

    def merit(threshold: float) -> float:
        at = figures(examined, threshold)
        return at.found + at.hold + 0.5 * (at.found_by_500_ms - at.false_by_500_ms)

    return float(max(np.linspace(0.2, 0.98, 79), key=merit))


def calibrating_shift(examined: Examined) -> float:
    """What to add to the log odds so that, over the first second, they are right on average.

    The offset alone of Platt's method (1999), so that the order of overlaps stays as it is.
    """
    first = np.maximum(examined.onsets, 0)[:, None] // FRAME_SAMPLES
    age: NDArray[np.int64] = np.arange(examined.evidence.shape[1], dtype=np.int64) - first
    chosen = (age >= FRAMES_PER_SECOND // 5) & (age < FRAMES_PER_SECOND) & (examined.evidence >= 0)
    interrupts = np.broadcast_to(
        (examined.classes == SoundClass.INTERRUPTION)[:, None], chosen.shape
    )[chosen].mean()
    low, high = -5.0, 5.0
    for _ in range(30):
        middle = (low + high) / 2
        too_low = examined.shifted(middle).evidence[chosen].mean() < interrupts
        low, high = (middle, high) if too_low else (low, middle)
    return low


def auc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve, by ranks."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    count = int(positive.sum())
    area = ranks[positive].sum() - count * (count + 1) / 2
    return float(area / (count * (len(scores) - count)))


def auc_at_ms(examined: Examined, after_ms: int, against: SoundClass | None = None) -> float:
    """How well the evidence at one moment after the onset ranks the overlaps.

    Interruptions against all the rest, or against one class.
    """
    frames = (
        np.maximum(examined.onsets, 0) // FRAME_SAMPLES
    ) + after_ms * FRAMES_PER_SECOND // 1000
    frames = np.minimum(frames, examined.evidence.shape[1] - 1)
    scores = examined.evidence[np.arange(len(frames)), frames]
    interrupts = examined.classes == SoundClass.INTERRUPTION
    compared = interrupts | (True if against is None else examined.classes == against)
    return auc(scores[compared], interrupts[compared])
