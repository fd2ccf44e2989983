"""The figures that a training run steers by, and the calibration that they lead to."""

import numpy as np
import pytest
from bargein_model.contract import FRAME_SAMPLES, SoundClass
from bargein_model.training.figures import (
    Examined,
    Floats,
    auc_at_ms,
    best_threshold,
    calibrating_shift,
    figures,
)
from numpy.typing import NDArray

ONSET, FRAMES = 40, 100


def examined(chances: list[float], each: int = 20) -> Examined:
    """For every chance `each` overlaps that say it from their onset on, and that many come true."""
    said = np.repeat(np.array(chances, np.float32), each)
    true = np.tile(np.arange(each), len(chances)) < np.repeat(
        np.round(np.array(chances) * each), each
    )
    evidence = np.full((len(said), FRAMES), -1, np.float32)
    evidence[:, ONSET:] = said[:, None]
    classes = np.where(true, SoundClass.INTERRUPTION, SoundClass.NOISE).astype(np.int8)
    return at_once(evidence, classes)


def at_once(evidence: Floats, classes: NDArray[np.int8]) -> Examined:
    """Overlaps in which nothing else came first."""
    onsets = np.full(len(classes), ONSET * FRAME_SAMPLES, np.int32)
    return Examined(evidence, classes, onsets, np.zeros(len(classes), np.bool_))


CALIBRATED = examined([0.1, 0.3, 0.5, 0.7, 0.9])


@pytest.mark.parametrize("wrong_by", [-2.0, -0.5, 0.0, 1.0])
def test_calibration_finds_by_how_much_the_log_odds_are_wrong(wrong_by: float) -> None:
    shift = calibrating_shift(CALIBRATED.shifted(wrong_by))
    assert shift == pytest.approx(-wrong_by, abs=0.01)


def test_a_shift_keeps_the_order_and_what_was_before_the_onset() -> None:
    shifted = CALIBRATED.shifted(1.5)
    assert np.all(shifted.evidence[:, :ONSET] == -1)
    before, after = CALIBRATED.evidence[:, ONSET], shifted.evidence[:, ONSET]
    assert np.array_equal(np.argsort(before, kind="stable"), np.argsort(after, kind="stable"))
    assert np.all(after > before)


def test_a_decision_comes_with_the_second_frame_over_the_threshold() -> None:
    one = examined([1.0], each=1)
    late = one.evidence.copy()
    late[:, ONSET : ONSET + 8] = 0.2
    after_ms = at_once(late, one.classes).found_after_ms(0.5)
    assert after_ms.tolist() == [250.0]


@pytest.mark.parametrize(("preceded", "found"), [(False, True), (True, False)])
def test_what_is_decided_in_a_cough_is_no_interruption_found(preceded: bool, found: bool) -> None:
    evidence = np.full((1, FRAMES), 0.1, np.float32)
    evidence[:, 10:20] = evidence[:, ONSET + 4 :] = 0.9
    cough_then_words = Examined(
        evidence,
        np.array([SoundClass.INTERRUPTION], np.int8),
        np.array([ONSET * FRAME_SAMPLES], np.int32),
        np.array([preceded]),
    )
    assert np.isfinite(cough_then_words.found_after_ms(0.5)).tolist() == [found]


def test_the_threshold_parts_what_can_be_parted() -> None:
    evidence = np.full((len(SoundClass), FRAMES), -1, np.float32)
    evidence[:, ONSET:] = 0.4
    evidence[SoundClass.INTERRUPTION, ONSET:] = 0.6
    one_of_each = at_once(evidence, np.array(list(SoundClass), np.int8))
    at = figures(one_of_each, best_threshold(one_of_each))
    assert 0.4 < at.threshold <= 0.6
    assert (at.found, at.hold, at.median_ms) == (1.0, 1.0, 50.0)


def test_interruptions_are_ranked_against_all_the_rest_or_one_class() -> None:
    evidence = np.full((3, FRAMES), -1, np.float32)
    evidence[:, ONSET:] = np.array([0.6, 0.7, 0.1])[:, None]
    classes = [SoundClass.INTERRUPTION, SoundClass.BACKCHANNEL, SoundClass.NOISE]
    one_of_each = at_once(evidence, np.array(classes, np.int8))
    assert auc_at_ms(one_of_each, 500) == 0.5
    assert auc_at_ms(one_of_each, 500, SoundClass.BACKCHANNEL) == 0.0
    assert auc_at_ms(one_of_each, 500, SoundClass.NOISE) == 1.0
