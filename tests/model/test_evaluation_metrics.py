"""The exam's metrics, on examples that were worked out by hand."""

import math

import numpy as np
import pytest
from bargein_model.evaluation import metrics
from bargein_model.evaluation.intervals import bootstrap, clustered, wilson
from bargein_model.evaluation.items import INTERRUPTIONS, OTHERS, Condition, Facts, Group
from bargein_model.evaluation.sheet import Sheet, Trial
from bargein_model.evaluation.targets import targets

ME = "Bargein"


def trial(
    group: Group,
    flagged: int | None,
    *,
    onset: int = 16_000,
    content: int | None = None,
    sounds_ms: int = 1000,
    score: float = 0.0,
    speaker: str = "a",
    condition: Condition = Condition.MIXED,
) -> Trial:
    content = onset if content is None else content
    facts = Facts(
        name="x",
        group=group,
        condition=condition,
        kind="",
        language="en",
        source="",
        speaker=speaker,
        onset=onset,
        content=content,
        end=content + 16 * sounds_ms,
    )
    return Trial(facts, {ME: flagged}, {ME: score}, ())


def test_the_groups_of_each_side_weigh_one_together() -> None:
    assert sum(group.weight for group in INTERRUPTIONS) == pytest.approx(1)
    assert sum(group.weight for group in OTHERS) == pytest.approx(1)


def test_a_delay_counts_from_the_content() -> None:
    assert metrics.delay_ms(24_000, onset=16_000, content=16_000) == 500
    assert metrics.delay_ms(24_000, onset=16_000, content=20_000) == 250
    assert metrics.delay_ms(18_000, onset=16_000, content=20_000) == 0
    assert metrics.delay_ms(16_000, onset=16_000, content=16_000) == metrics.EARLY
    assert metrics.delay_ms(None, onset=16_000, content=16_000) == math.inf


def test_a_verdict_before_the_sound_is_no_find_but_a_false_alarm() -> None:
    delays = np.array([metrics.EARLY, 0.0, 400.0, 600.0, np.inf])
    assert metrics.found(delays, 500).tolist() == [False, True, True, False, False]
    assert metrics.found(delays).tolist() == [False, True, True, True, False]
    assert metrics.flagged(delays, 500).tolist() == [True, True, True, False, False]
    assert metrics.flagged(delays).tolist() == [True, True, True, True, False]


def test_precision_at_47_per_cent() -> None:
    # .47 × .9 = .423 right, .53 × .1 = .053 wrong
    assert metrics.precision(0.9, 0.1) == pytest.approx(0.423 / 0.476)
    assert math.isnan(metrics.precision(0.0, 0.0))


def test_a_weighted_quantile() -> None:
    values, weights = np.array([300.0, 100.0, 200.0, 400.0]), np.ones(4)
    assert metrics.quantile(values, weights, 0.5) == 200
    assert metrics.quantile(values, weights, 0.9) == 400
    assert metrics.quantile(values, np.array([1.0, 1.0, 1.0, 9.0]), 0.5) == 400
    assert math.isnan(metrics.quantile(values[:0], weights[:0], 0.5))


def test_auc_counts_pairs_and_halves_ties() -> None:
    scores = np.array([0.9, 0.5, 0.5, 0.1])
    positive = np.array([True, True, False, False])
    # of four pairs three are right and one is a tie
    assert metrics.auc(scores, positive, np.ones(4)) == pytest.approx(3.5 / 4)
    assert math.isnan(metrics.auc(scores[:2], positive[:2], np.ones(2)))


def test_an_error_curve_goes_from_nothing_flagged_to_everything() -> None:
    scores, positive = np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, False, True, False])
    alarms, misses = metrics.error_curve(scores, positive, np.ones(4))
    assert alarms.tolist() == [0, 0, 0.5, 1]
    assert misses.tolist() == [1, 0.5, 0, 0]


def test_evidence_needs_two_frames_in_a_row() -> None:
    assert metrics.evidence(np.array([0.1, 0.9, 0.2, 0.6, 0.5])) == 0.5
    assert metrics.evidence(np.array([0.9])) == 0.0


def test_calibration_is_the_mean_gap() -> None:
    said = np.array([0.05, 0.05, 0.95, 0.95])
    true = np.array([False, False, True, False])
    assert metrics.calibration_error(said, true, np.ones(4)) == pytest.approx(
        0.5 * 0.05 + 0.5 * 0.45
    )
    mean, share, mass = metrics.reliability(said, true, np.ones(4))
    assert (mean.tolist(), share.tolist(), mass.tolist()) == (
        [pytest.approx(0.05), pytest.approx(0.95)],
        [0, 0.5],
        [0.5, 0.5],
    )


def test_wilson_agrees_with_the_literature() -> None:
    low, high = wilson(0, 10)  # Wilson for 0 of 10: 0 to 0.2775
    assert (low, round(high, 4)) == (0.0, 0.2775)
    low, high = wilson(81, 263)  # Newcombe (1998), table I: 0.2553 to 0.3662
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_recording_used_several_times_tells_no_more_than_once() -> None:
    once = np.array([True] * 9 + [False] * 3)
    assert clustered(once, list("abcdefghijkl")) == wilson(9, 12)
    assert clustered(np.repeat(once, 4), list(np.repeat(list("abcdefghijkl"), 4))) == wilson(9, 12)


def test_a_recording_that_is_heard_now_this_way_and_now_that_tells_more() -> None:
    hits, clips = np.tile([True, True, True, False], 12), [str(n // 4) for n in range(48)]
    assert clustered(hits, clips) == wilson(36, 48)


def test_all_right_is_as_sure_as_there_are_recordings() -> None:
    assert clustered(np.ones(40, np.bool_), ["a", "b"] * 20) == wilson(2, 2)
    assert clustered(np.ones(0, np.bool_), []) == (0.0, 1.0)


def test_a_bootstrap_resamples_speakers_not_items() -> None:
    """Two speakers, always right and always wrong: a mean is 0, ½ or 1, however many items."""
    values = np.array([1.0] * 50 + [0.0] * 50)

    def mean(drawn: metrics.Array) -> float:
        return float((values * drawn).sum() / drawn.sum())

    assert bootstrap(["a"] * 50 + ["b"] * 50, mean) == (0.0, 1.0)
    low, high = bootstrap([str(place) for place in range(100)], mean)
    assert 0.35 < low < 0.5 < high < 0.65


def test_a_bootstrap_keeps_every_stratum() -> None:
    def smallest_stratum(drawn: metrics.Array) -> float:
        return min(float(drawn[:2].sum()), float(drawn[2:].sum()))

    low, _ = bootstrap(["a", "b", "c", "d"], smallest_stratum, strata=["x", "x", "y", "y"])
    assert low == 2


def test_yield_and_hold_weigh_groups_not_items() -> None:
    sheet = Sheet(
        [
            *(trial(Group.LONG, 20_000), trial(Group.LONG, 20_000), trial(Group.LONG, None)),
            trial(Group.SHORT, None),
            *(trial(Group.BACKCHANNEL, None), trial(Group.MUSIC, 17_000), trial(Group.MUSIC, None)),
        ]
    )
    assert sheet.found(ME) == pytest.approx(0.59 * (2 / 3) / (0.59 + 0.24))
    assert sheet.false_alarms(ME) == pytest.approx(0.5 / 2)


def test_only_what_sounds_long_enough_can_be_found_in_time() -> None:
    late = 16_000 + 16 * 600
    sheet = Sheet([trial(Group.LONG, late, sounds_ms=400), trial(Group.LONG, 17_600)])
    assert sheet.found(ME, 500) == 1
    assert sheet.found(ME, 300) == pytest.approx(0.5)
    assert sheet.found(ME) == 1


def test_audio_to_decide_counts_from_the_onset() -> None:
    sheet = Sheet([trial(Group.CONTINUED, 16_000 + 16 * 700, content=16_000 + 16 * 400)])
    assert sheet.delays(ME).tolist() == [300]
    assert sheet.to_decide_ms(ME, 0.5) == 700


def test_targets_say_by_how_much_they_are_missed() -> None:
    items = [trial(group, 20_000, condition=c) for group in INTERRUPTIONS for c in Condition]
    items += [trial(group, None, condition=c) for group in OTHERS for c in Condition]
    values = {target.name: target for target in targets(ME)}
    sheet = Sheet(items)
    assert values["yield"].value(sheet) == 1
    assert values["yield"].missed_by(0.9) == pytest.approx(0.07)
    assert values["median audio"].value(sheet) == 250
    assert values["median audio"].missed_by(250) < 0
    assert values["telephone below clean"].value(sheet) == 0
    unexamined = values["languages without training speech below English"]
    assert math.isnan(unexamined.value(sheet))
