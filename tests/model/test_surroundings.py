"""What training changes around a composed overlap, and what it leaves as it was."""

import numpy as np
import pytest
from bargein_model.composer.overlap import BEFORE_ONSET, UNDECIDED, Nuisances
from bargein_model.composer.shards import Shard
from bargein_model.contract import SoundClass
from bargein_model.features import USER_BANDS, Floats
from bargein_model.training.surroundings import (
    BABBLE_SHARE,
    FEWEST_OTHERS,
    FLOOR,
    LARGEST_STEP_DB,
    LASTING_ECHO,
    LATER_SHARE,
    LEAST_STEP_DB,
    LEFT_TO_HEAR,
    LONGER_WAY_SHARE,
    LONGEST_PAUSE,
    LONGEST_WAY,
    MOST_OTHERS,
    OTHER_TRACT_SHARE,
    SHORTEST_PAUSE,
    STEP_SHARE,
    Around,
    Taught,
    drowned,
    elsewhere,
    later,
    noisier,
    played_earlier,
    resumed,
    shifted,
)

FRAMES, ONSET = 120, 30


def flat(level: float) -> Floats:
    return np.full((FRAMES, 2 * USER_BANDS), level, np.float32)


def overlap(sound: SoundClass, user: Floats) -> Taught:
    """Every frame of its reference, and of the sound alone, says which one it is."""
    targets = np.full(FRAMES, BEFORE_ONSET, np.int8)
    targets[ONSET:] = sound
    counted = np.arange(FRAMES, dtype=np.float32)[:, None]
    reference, alone = np.tile(counted, 20), np.tile(counted / np.float32(FRAMES), 2 * USER_BANDS)
    return Taught(user, reference, alone, targets, "wait")


def begun(user: Floats) -> Taught:
    """A noise that sounds from the first frame on."""
    noise = overlap(SoundClass.NOISE, user)
    noise.targets[:] = SoundClass.NOISE
    return noise


INTERRUPTION = overlap(SoundClass.INTERRUPTION, flat(-4.0))
NOISE = overlap(SoundClass.NOISE, flat(-5.0))
NOWHERE, AMONG_NOISES = Around([], []), Around([NOISE], [])


def loudest(log_mel: Floats) -> float:
    return float(10 * np.log10(np.quantile((10.0**log_mel).mean(axis=1), 0.9)))


@pytest.mark.parametrize("level_db", [-30.0, -10.0, 0.0])
def test_noise_is_added_at_the_level_asked_for(level_db: float) -> None:
    together = noisier(flat(-4.0), flat(-7.0), level_db)
    expected = -40 + 10 * np.log10(1 + 10 ** (level_db / 10))
    assert loudest(together) == pytest.approx(expected, abs=0.01)


def test_silence_as_noise_changes_no_loud_moment() -> None:
    user = flat(-4.0)
    user[:10] = FLOOR
    together = noisier(user, flat(float(FLOOR)), -30.0)
    np.testing.assert_allclose(together[10:], user[10:], atol=0.01)


def test_every_visit_is_another_and_a_seed_gives_it_again() -> None:
    first, other, again = (
        [elsewhere(INTERRUPTION, AMONG_NOISES, rng).user for _ in range(8)]
        for rng in map(np.random.default_rng, (1, 2, 1))
    )
    assert all(map(np.array_equal, first, again))
    assert not all(map(np.array_equal, first, other))
    assert np.all(INTERRUPTION.user == -4.0)


def test_a_line_is_the_same_all_along_and_smooth_over_the_bands() -> None:
    rng = np.random.default_rng(4)
    visits = [elsewhere(begun(flat(-4.0)), NOWHERE, rng).user + 4.0 for _ in range(128)]
    lines = np.array([one[0] for one in visits if np.ptp(one, axis=0).max() < 1e-4])
    np.testing.assert_allclose(lines[:, :USER_BANDS], lines[:, USER_BANDS:], atol=1e-5)
    assert np.abs(np.diff(lines[:, :USER_BANDS])).max() < 0.3
    untouched = np.isclose(lines, 0, atol=1e-4).all(axis=1).mean()
    assert 0.2 < untouched < 0.6


def test_the_level_changes_once_and_in_all_bands_alike() -> None:
    rng = np.random.default_rng(8)
    visits = [elsewhere(begun(flat(-4.0)), NOWHERE, rng).user for _ in range(400)]
    courses = [one - one[:1] for one in visits if np.ptp(one, axis=0).max() > 1e-4]
    assert len(courses) / len(visits) == pytest.approx(STEP_SHARE, abs=0.06)
    for course in courses:
        np.testing.assert_allclose(course, course[:, :1] + np.zeros_like(course), atol=1e-4)
        steps = np.diff(course[:, 0])
        assert np.all(steps >= -1e-5) or np.all(steps <= 1e-5)
        assert 10 * abs(course[-1, 0]) <= LARGEST_STEP_DB + 1e-3
    whole = [10 * abs(one[-1, 0]) for one in courses if abs(one[-1, 0] - one[-4, 0]) < 1e-5]
    assert min(whole) >= LEAST_STEP_DB - 1e-3


def test_a_loudspeaker_changes_what_is_played_but_not_its_silence() -> None:
    reference = np.full((FRAMES, 20), -4.0, np.float32)
    reference[50:] = FLOOR
    playing, rng = INTERRUPTION._replace(reference=reference), np.random.default_rng(9)
    heard = [elsewhere(playing, NOWHERE, rng).reference for _ in range(64)]
    early = [one for one in heard if np.all(one[50:] == FLOOR)]
    assert len(early) > 16
    changed = [one for one in early if not np.array_equal(one[0], reference[0])]
    assert 0 < len(changed) < len(early)
    played = [one[one[:, 0] > FLOOR] for one in changed]
    assert all(np.ptp(one, axis=0).max() < 1e-4 for one in played)


def test_an_echo_that_comes_later_leaves_the_user_as_it_is() -> None:
    frames = played_earlier(INTERRUPTION.reference, 5)[:, 0]
    assert np.array_equal(frames[:-5], np.arange(5, FRAMES))
    assert np.all(frames[-5:] == FLOOR)


def echo_from_the_onset() -> Taught:
    """Room tone, then the agent: its frames say which they are."""
    taught = overlap(SoundClass.ECHO, flat(-7.0))
    taught.user[ONSET:] = -4.0
    taught.reference[:ONSET] = FLOOR
    return taught


@pytest.mark.parametrize("seed", range(9))
def test_an_agent_that_goes_on_was_heard_before_its_pause(seed: int) -> None:
    taught = echo_from_the_onset()
    after = resumed(taught, np.random.default_rng(seed))
    played = np.flatnonzero(after.reference[:ONSET, 0] > FLOOR)
    heard = np.flatnonzero(after.user[:ONSET, 0] > -6.0)
    assert heard[0] == played[0] == 0
    assert len(heard) == len(played) + LASTING_ECHO
    assert SHORTEST_PAUSE <= ONSET - len(heard) < LONGEST_PAUSE
    assert (after.reference[played, 0] == ONSET + played).all(), "what it says now, as before"
    assert after.user[heard] == pytest.approx(-4.0, abs=0.01), "the room tone but once"
    assert (after.user[len(heard) : ONSET] == -7.0).all()
    for same in ("user", "reference"):
        assert (getattr(after, same)[ONSET:] == getattr(taught, same)[ONSET:]).all()
    assert after.targets is taught.targets


def test_only_an_echo_goes_on_after_a_pause() -> None:
    user, rng = overlap(SoundClass.INTERRUPTION, flat(-4.0)), np.random.default_rng(1)
    user.reference[:ONSET] = FLOOR
    assert resumed(user, rng) is user
    all_along = overlap(SoundClass.ECHO, flat(-4.0))
    assert resumed(all_along, rng) is all_along
    unknown = echo_from_the_onset()._replace(reference=np.full((FRAMES, 20), FLOOR))
    assert resumed(unknown, rng) is unknown


def test_who_speaks_over_an_echo_is_not_heard_before_it() -> None:
    taught = echo_from_the_onset()
    taught.targets[ONSET + 8 :] = SoundClass.INTERRUPTION
    taught.user[ONSET + 8 :] = -2.0
    after = resumed(taught, np.random.default_rng(2))
    assert np.count_nonzero(after.user[:ONSET, 0] > -6.0) == 8
    assert after.user[:ONSET].max() == pytest.approx(-4.0, abs=0.01)


def test_half_of_the_references_lead_by_more_but_by_no_more_than_the_longest_way() -> None:
    rng, counted = np.random.default_rng(12), INTERRUPTION
    visits = [elsewhere(counted, NOWHERE, rng).reference[:, 0] for _ in range(600)]
    over = np.array([int(np.sum(frames == FLOOR)) for frames in visits])
    assert np.mean(over > 0) == pytest.approx(LONGER_WAY_SHARE, abs=0.06)
    assert over.max() == LONGEST_WAY


def test_frames_that_begin_later_hold_what_was_heard_then() -> None:
    spectra = np.random.default_rng(10).normal(-5.0, 1.0, (2 * FRAMES, USER_BANDS))
    user = spectra.astype(np.float32).reshape(FRAMES, 2 * USER_BANDS)
    for by in (0, 1, 2):
        expected = spectra[np.minimum(np.arange(2 * FRAMES) + by, 2 * FRAMES - 1)]
        moved = shifted(user, float(by)).reshape(-1, USER_BANDS)
        np.testing.assert_allclose(moved, expected, atol=1e-5)
    between = 10.0 ** shifted(user, 0.25).reshape(-1, USER_BANDS)[:-1]
    power = 10.0**spectra
    np.testing.assert_allclose(between, 0.75 * power[:-1] + 0.25 * power[1:], rtol=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_an_interruption_among_voices_as_loud_is_babble(seed: int) -> None:
    babble = drowned(INTERRUPTION, [INTERRUPTION], np.random.default_rng(seed))
    assert set(babble.targets[:ONSET].tolist()) == {BEFORE_ONSET}
    assert set(babble.targets[ONSET:].tolist()) == {SoundClass.NOISE}
    assert babble.said == ""
    assert np.array_equal(babble.user[:ONSET], INTERRUPTION.user[:ONSET])
    louder_db = 10 * (babble.user[ONSET:] + 4.0)
    assert np.ptp(louder_db) < 1e-4
    least, most = (10 * np.log10(1 + many) for many in (FEWEST_OTHERS / 8, 8 * MOST_OTHERS))
    assert least < louder_db.mean() < most


WORD = 10
"""Frames of a short word: a quarter of a second."""


def short(level: float, room: float = -7.0) -> Taught:
    """A word over room tone; alone it has none."""
    user, alone = flat(room), flat(float(FLOOR))
    for part in (user, alone):
        part[ONSET : ONSET + WORD] = level
    return overlap(SoundClass.INTERRUPTION, user)._replace(alone=alone)


@pytest.mark.parametrize("level_db", [-30.0, -6.0])
def test_a_short_word_gets_no_less_noise_than_a_long_one(level_db: float) -> None:
    word = short(-3.0)
    added = 10.0 ** noisier(word.user, flat(-5.0), level_db) - 10.0**word.user
    heard_db = 10 * np.log10(added[ONSET : ONSET + WORD].mean() / 10.0**-3.0)
    assert heard_db == pytest.approx(level_db, abs=1.5)


@pytest.mark.parametrize("seed", range(8))
def test_a_short_word_is_drowned_by_voices_that_sound_with_it(seed: int) -> None:
    word = short(-3.0)
    babble = drowned(word, [short(-4.0), short(-2.0)], np.random.default_rng(seed))
    others = (10.0**babble.user - 10.0**word.user)[ONSET:].mean(axis=1)
    least_db = 10 * np.log10(others.min() / 10.0**-3.0)
    assert least_db > -9.0, "somebody talks all along"


def test_half_of_the_visits_are_out_of_another_vocal_tract_and_what_the_teacher_hears_too() -> None:
    rng, peak = np.random.default_rng(13), flat(-6.0)
    peak[:, 20::USER_BANDS] = -2.0
    spoken = begun(peak)._replace(alone=peak)
    visits = [elsewhere(spoken, NOWHERE, rng).alone for _ in range(300)]
    moved = [not np.allclose(alone[0], peak[0], atol=1e-4) for alone in visits]
    assert np.mean(moved) == pytest.approx(OTHER_TRACT_SHARE, abs=0.1)
    assert all(abs(int(alone[0, :USER_BANDS].argmax()) - 20) <= 3 for alone in visits)


def test_some_interruptions_are_drowned_and_nothing_else_is() -> None:
    rng, among = np.random.default_rng(11), Around([], [INTERRUPTION])
    ends = [int(elsewhere(INTERRUPTION, among, rng).targets[-1]) for _ in range(600)]
    assert np.mean(np.array(ends) == SoundClass.NOISE) == pytest.approx(BABBLE_SHARE, abs=0.04)
    backchannel = overlap(SoundClass.BACKCHANNEL, flat(-4.0))
    others = {int(elsewhere(backchannel, among, rng).targets[-1]) for _ in range(200)}
    assert others == {SoundClass.BACKCHANNEL}


def test_nothing_falls_below_the_floor() -> None:
    rng, silence = np.random.default_rng(5), overlap(SoundClass.NOISE, flat(float(FLOOR)))
    among = Around([silence], [silence])
    assert min(elsewhere(silence, among, rng).user.min() for _ in range(16)) >= FLOOR


@pytest.mark.parametrize("seed", range(8))
def test_what_begins_later_was_preceded_by_more_of_what_preceded_it(seed: int) -> None:
    moved = later(INTERRUPTION, [], np.random.default_rng(seed))
    by = moved.onset - ONSET
    assert 1 <= by <= FRAMES - ONSET - LEFT_TO_HEAR
    assert [part.shape for part in moved[:4]] == [part.shape for part in INTERRUPTION[:4]]
    assert set(moved.targets[: moved.onset].tolist()) == {BEFORE_ONSET}
    for frames in (moved.reference[:, 0], FRAMES * moved.alone[:, 0]):
        np.testing.assert_allclose(frames[by:], np.arange(FRAMES - by), rtol=1e-6)
        np.testing.assert_allclose(frames[:by], np.arange(by) % ONSET, rtol=1e-6)
    assert moved.said == ""


def test_a_noise_before_it_stays_a_noise_until_it_begins() -> None:
    moved = [later(INTERRUPTION, [NOISE], np.random.default_rng(seed)) for seed in range(20)]
    told = {tuple(dict.fromkeys(one.targets.tolist())) for one in moved}
    waiting = (BEFORE_ONSET, SoundClass.INTERRUPTION)
    assert told == {waiting, (BEFORE_ONSET, SoundClass.NOISE, SoundClass.INTERRUPTION)}
    assert all((one.targets == SoundClass.INTERRUPTION).sum() >= LEFT_TO_HEAR for one in moved)
    assert all(set(np.unique(one.user)) == {-5.0, -4.0} for one in moved)


def test_surroundings_are_not_heard_in_the_sound_alone() -> None:
    rng, among = np.random.default_rng(13), Around([NOISE], [INTERRUPTION])
    alone = INTERRUPTION._replace(alone=flat(-4.0))
    assert all(np.allclose(elsewhere(alone, among, rng).alone, -4.0) for _ in range(64))


def test_the_sound_alone_begins_where_the_sound_among_others_does() -> None:
    spectra = np.random.default_rng(14).normal(-5.0, 0.3, (FRAMES, 2 * USER_BANDS))
    sound = spectra.astype(np.float32)
    rng, both = np.random.default_rng(15), INTERRUPTION._replace(user=sound, alone=sound)
    visits = [elsewhere(both, NOWHERE, rng) for _ in range(64)]
    moved = [one for one in visits if not np.allclose(one.alone, sound)]
    assert len(moved) > 16
    differences = [np.diff(one.user - one.alone, axis=0) for one in moved]
    same_level = [one for one in differences if np.allclose(one[:, :1], one, atol=1e-3)]
    assert len(same_level) == len(moved)


@pytest.mark.parametrize("first", [0, 3, FRAMES - LEFT_TO_HEAR])
def test_what_leaves_no_room_stays_as_it_is(first: int) -> None:
    targets = np.full(FRAMES, BEFORE_ONSET, np.int8)
    targets[first:] = UNDECIDED
    taught = INTERRUPTION._replace(targets=targets)
    assert taught.onset == first
    assert later(taught, [NOISE], np.random.default_rng(1)) is taught


def test_some_begin_later_and_some_do_not() -> None:
    rng = np.random.default_rng(6)
    onsets = [elsewhere(INTERRUPTION, NOWHERE, rng).onset for _ in range(200)]
    assert np.mean(np.array(onsets) > ONSET) == pytest.approx(LATER_SHARE, abs=0.1)


def shard_of(sounds: list[SoundClass], leaks_db: list[float], sources: list[str]) -> Shard:
    """Every overlap of it is a power of ten louder than the one before."""
    nuisances = np.zeros((len(sounds), len(Nuisances.__annotations__)), np.float32)
    nuisances[:, list(Nuisances.__annotations__).index("leak_db")] = leaks_db
    user = np.stack([flat(row - 5.0) for row in range(len(sounds))]).astype(np.float16)
    return Shard(
        user=user,
        reference=user[..., :20],
        alone=user,
        targets=np.tile(np.array(sounds, np.int8)[:, None], FRAMES),
        onsets=np.zeros(len(sounds), np.int32),
        classes=np.array(sounds, np.int8),
        nuisances=nuisances,
        sources=np.array(sources),
        said=np.array(["hiss"] * len(sounds)),
    )


def test_only_that_is_added_in_which_no_agent_speaks() -> None:
    sounds = [SoundClass.NOISE, SoundClass.NOISE, *[SoundClass.INTERRUPTION] * 2]
    shard = shard_of(sounds, [-20.0, -80.0, -80.0, -20.0], ["Rain"] * 4)
    (noise,), (voice,) = Around.of(shard, np.arange(4))
    assert noise.said == "hiss"
    assert np.all(noise.user == -4.0)
    assert np.all(noise.targets == SoundClass.NOISE)
    assert np.all(voice.user == -3.0)


def test_what_is_left_out_of_training_is_not_added_to_it_either() -> None:
    shard = shard_of([SoundClass.NOISE] * 3, [-80.0] * 3, ["Rain", "Cafe\nRain", "Cafe"])
    kept = Around.of(shard, shard.without(["Rain"]))
    assert [float(noise.user[0, 0]) for noise in kept.noises] == [-3.0]
    assert Around.of(shard, shard.without(["Rain", "Cafe"])) == NOWHERE
