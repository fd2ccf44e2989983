"""What a frame is taught: the class of the overlap as far as it is known by then."""

import numpy as np
from bargein_model.composer.overlap import BEFORE_ONSET, UNDECIDED, Sound, outcome, targets
from bargein_model.contract import SoundClass
from hypothesis import given
from hypothesis import strategies as st

FRAME = 400


def sounding(
    sound: SoundClass,
    first: int,
    frames: int,
    *,
    turns: int | None = None,
    unsure: int | None = None,
) -> Sound:
    audio = np.ones(frames * FRAME, np.float32)
    return Sound(
        audio,
        first * FRAME,
        sound,
        None if turns is None else turns * FRAME,
        None if unsure is None else unsure * FRAME,
    )


def test_a_backchannel_stays_one_after_it_ended() -> None:
    taught = targets([sounding(SoundClass.BACKCHANNEL, 2, 3)], 8)
    assert taught.tolist() == [BEFORE_ONSET] * 2 + [SoundClass.BACKCHANNEL] * 6


def test_yeah_but_turns_where_the_content_begins() -> None:
    taught = targets([sounding(SoundClass.BACKCHANNEL, 1, 6, turns=4)], 8)
    expected = [BEFORE_ONSET, *[SoundClass.BACKCHANNEL] * 3, *[SoundClass.INTERRUPTION] * 4]
    assert taught.tolist() == expected


def test_what_may_be_either_is_not_taught_until_it_is_clear() -> None:
    taught = targets([sounding(SoundClass.INTERRUPTION, 1, 6, unsure=3)], 6)
    expected = [BEFORE_ONSET, UNDECIDED, UNDECIDED, *[SoundClass.INTERRUPTION] * 3]
    assert taught.tolist() == expected


def test_a_window_may_begin_in_the_midst_of_a_sound() -> None:
    assert targets([sounding(SoundClass.NOISE, -2, 5)], 4).tolist() == [SoundClass.NOISE] * 4


def test_what_follows_an_interruption_makes_it_no_less_certain() -> None:
    first = sounding(SoundClass.INTERRUPTION, 1, 2)
    second = sounding(SoundClass.INTERRUPTION, 4, 3, unsure=6)
    assert targets([first, second], 8).tolist() == [BEFORE_ONSET, *[SoundClass.INTERRUPTION] * 7]


def test_an_overlap_is_what_its_last_certain_frame_is() -> None:
    cough = sounding(SoundClass.VOCAL, 0, 2)
    taught = targets([cough, sounding(SoundClass.INTERRUPTION, 6, 4, unsure=9)], 8)
    assert taught.tolist() == [*[SoundClass.VOCAL] * 6, UNDECIDED, UNDECIDED]
    assert outcome(taught) is SoundClass.VOCAL


def test_yeah_but_after_another_sound_turns_where_its_content_begins() -> None:
    cough = sounding(SoundClass.VOCAL, 0, 2)
    speech = sounding(SoundClass.BACKCHANNEL, 1, 6, turns=4).moved(2 * FRAME)
    expected = [*[SoundClass.VOCAL] * 6, *[SoundClass.INTERRUPTION] * 4]
    assert targets([cough, speech], 10).tolist() == expected


@given(
    st.lists(
        st.tuples(st.sampled_from(list(SoundClass)), st.integers(0, 19), st.integers(1, 9)),
        min_size=1,
        max_size=5,
    )
)
def test_an_interruption_is_never_taken_back(parts: list[tuple[SoundClass, int, int]]) -> None:
    taught = targets([sounding(*part) for part in parts], 20)
    known = np.maximum.accumulate(taught == SoundClass.INTERRUPTION)
    assert np.array_equal(known, taught == SoundClass.INTERRUPTION)
    first = min(part[1] for part in parts)
    assert np.all(taught[:first] == BEFORE_ONSET)
    assert np.all(taught[first:] != BEFORE_ONSET)
