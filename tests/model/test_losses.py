"""What is taught: each loss is least where the network says what it should."""

import numpy as np
import pytest
import torch
from bargein_model.composer.overlap import BEFORE_ONSET, UNDECIDED
from bargein_model.contract import SoundClass
from bargein_model.training.loss import (
    agreement_loss,
    followed_frames,
    frame_weights,
    hearing_loss,
    peak_loss,
    reading_loss,
    verdict_loss,
)
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

FRAMES, ONSET = 60, 20
CLASSES = len(SoundClass)
SOUNDS = st.sampled_from(SoundClass)


def taught(*sounds: int, onset: int = ONSET) -> Tensor:
    targets = torch.full((len(sounds), FRAMES), BEFORE_ONSET)
    targets[:, onset:] = torch.tensor(sounds)[:, None]
    return targets


def saying(targets: Tensor, certainty: float) -> Tensor:
    """Logits in favour of what is taught; noise where nothing is."""
    answers = torch.where(targets < 0, int(SoundClass.NOISE), targets)
    return certainty * torch.nn.functional.one_hot(answers, CLASSES).float()


@given(SOUNDS, SOUNDS)
def test_to_say_what_is_taught_costs_least(sound: SoundClass, other: SoundClass) -> None:
    targets = taught(sound)
    right, unsure = (verdict_loss(saying(targets, much), targets) for much in (5.0, 0.0))
    assert right < unsure
    assert unsure.item() == pytest.approx(np.log(CLASSES), abs=1e-5)
    if other is not sound:
        assert verdict_loss(saying(taught(other), 5.0), targets) > unsure


@given(SOUNDS, st.integers(0, FRAMES - 5), st.integers(1, 4))
def test_undecided_frames_teach_nothing(sound: SoundClass, first: int, many: int) -> None:
    targets = taught(sound)
    targets[:, first : first + many] = UNDECIDED
    said = saying(taught(sound), 3.0)
    other = said.clone()
    other[:, first : first + many] += torch.arange(CLASSES)
    assert frame_weights(targets)[:, first : first + many].sum() == 0
    assert verdict_loss(said, targets) == verdict_loss(other, targets)


def test_the_second_after_what_began_last_counts_most() -> None:
    targets = taught(SoundClass.BACKCHANNEL)
    targets[:, 40:] = SoundClass.INTERRUPTION
    weights = frame_weights(targets)[0]
    assert weights[ONSET - 1] < weights[ONSET] < weights[ONSET + 5]
    assert weights[40] < weights[45] == weights[ONSET + 5]


@given(st.integers(ONSET, FRAMES - 3))
def test_two_frames_in_a_row_cost_what_one_does_not(frame: int) -> None:
    targets = taught(SoundClass.BACKCHANNEL)
    quiet = saying(targets, 4.0)
    one, two = quiet.clone(), quiet.clone()
    one[:, frame, SoundClass.INTERRUPTION] = two[:, frame, SoundClass.INTERRUPTION] = 9.0
    two[:, frame + 1, SoundClass.INTERRUPTION] = 9.0
    at_rest = peak_loss(quiet, targets).item()
    assert peak_loss(one, targets).item() == pytest.approx(at_rest, abs=1e-6)
    assert peak_loss(two, targets) > at_rest + 1


def test_an_interruption_found_too_late_is_not_found() -> None:
    targets = taught(SoundClass.INTERRUPTION)
    never = saying(taught(SoundClass.BACKCHANNEL), 4.0)
    at_once, late = never.clone(), never.clone()
    at_once[:, ONSET + 10 : ONSET + 12, SoundClass.INTERRUPTION] = 9.0
    late[:, ONSET + 25 : ONSET + 27, SoundClass.INTERRUPTION] = 9.0
    assert peak_loss(at_once, targets) < peak_loss(never, targets) - 1
    assert peak_loss(late, targets) == peak_loss(never, targets)


def test_voices_are_followed_from_their_onset_on() -> None:
    followed = followed_frames(taught(*SoundClass))
    assert not followed[:, :ONSET].any()
    voices = [SoundClass.INTERRUPTION, SoundClass.BACKCHANNEL, SoundClass.VOCAL]
    assert [bool(row[ONSET:].all()) for row in followed] == [one in voices for one in SoundClass]


@given(st.integers(0, 1000))
def test_a_teacher_is_agreed_with_best_by_saying_what_it_says(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    says, other = torch.randn(2, 3, FRAMES, CLASSES, generator=generator)
    everywhere = torch.ones(3, FRAMES, dtype=torch.bool)
    assert agreement_loss(says, says, everywhere) < agreement_loss(other, says, everywhere)
    assert hearing_loss(says, says, everywhere) == 0 < hearing_loss(other, says, everywhere)
    nowhere = ~everywhere
    assert agreement_loss(other, says, nowhere) == hearing_loss(other, says, nowhere) == 0


def test_to_read_what_is_said_costs_least_and_nothing_where_nobody_knows() -> None:
    spelt = torch.full((2, FRAMES, 29), -5.0)
    spelt[:, :, 0] = 0.0  # blank
    other = spelt.clone()
    for place, letter in enumerate("stop"):
        spelt[0, 10 + 4 * place, 1 + "abcdefghijklmnopqrstuvwxyz".index(letter)] = 9.0
    assert reading_loss(spelt, ["stop", ""]) < reading_loss(other, ["stop", ""]) - 1
    assert reading_loss(other, ["", ""]) == 0
