"""What training changes around a composed overlap, and what it leaves as it was."""

import numpy as np
import pytest
from bargein_model.composer.overlap import BEFORE_ONSET, UNDECIDED, Nuisances
from bargein_model.composer.shards import Shard
from bargein_model.contract import SoundClass
from bargein_model.features import USER_BANDS, Floats
from bargein_model.training.surroundings import (
    FLOOR,
    LATER_SHARE,
    LEFT_TO_HEAR,
    Taught,
    elsewhere,
    later,
    noises_of,
    noisier,
)

FRAMES, ONSET = 120, 30


def flat(level: float) -> Floats:
    return np.full((FRAMES, 2 * USER_BANDS), level, np.float32)


def overlap(sound: SoundClass, user: Floats) -> Taught:
    """Every frame of its reference says which one it is."""
    targets = np.full(FRAMES, BEFORE_ONSET, np.int8)
    targets[ONSET:] = sound
    reference = np.tile(np.arange(FRAMES, dtype=np.float32)[:, None], 20)
    return Taught(user, reference, targets, "wait")


INTERRUPTION = overlap(SoundClass.INTERRUPTION, flat(-4.0))
NOISE = overlap(SoundClass.NOISE, flat(-5.0))


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
        [elsewhere(INTERRUPTION, [NOISE], rng).user for _ in range(8)]
        for rng in map(np.random.default_rng, (1, 2, 1))
    )
    assert all(map(np.array_equal, first, again))
    assert not all(map(np.array_equal, first, other))
    assert np.all(INTERRUPTION.user == -4.0)


def test_a_line_changes_the_level_and_is_smooth_over_the_bands() -> None:
    user = np.random.default_rng(3).normal(-4.0, 0.5, (FRAMES, 2 * USER_BANDS))
    begins_at_once = overlap(SoundClass.NOISE, user.astype(np.float32))
    begins_at_once.targets[:] = SoundClass.NOISE
    rng = np.random.default_rng(4)
    response = np.stack([elsewhere(begins_at_once, [], rng).user for _ in range(64)]) - user
    np.testing.assert_allclose(response, response[:, :1] + np.zeros_like(response), atol=1e-5)
    np.testing.assert_allclose(response[..., :USER_BANDS], response[..., USER_BANDS:], atol=1e-5)
    steps_in_bels = np.abs(np.diff(response[:, 0, :USER_BANDS]))
    assert steps_in_bels.max() < 0.3
    untouched = np.isclose(response, 0, atol=1e-5).all(axis=(1, 2)).mean()
    assert 0.2 < untouched < 0.6


def test_nothing_falls_below_the_floor() -> None:
    rng, silence = np.random.default_rng(5), overlap(SoundClass.NOISE, flat(float(FLOOR)))
    assert min(elsewhere(silence, [silence], rng).user.min() for _ in range(16)) >= FLOOR


@pytest.mark.parametrize("seed", range(8))
def test_what_begins_later_was_preceded_by_more_of_what_preceded_it(seed: int) -> None:
    moved = later(INTERRUPTION, [], np.random.default_rng(seed))
    by = moved.onset - ONSET
    assert 1 <= by <= FRAMES - ONSET - LEFT_TO_HEAR
    assert [part.shape for part in moved[:3]] == [part.shape for part in INTERRUPTION[:3]]
    assert set(moved.targets[: moved.onset].tolist()) == {BEFORE_ONSET}
    frames = moved.reference[:, 0]
    assert np.array_equal(frames[by:], np.arange(FRAMES - by))
    assert np.array_equal(frames[:by], np.arange(by) % ONSET)
    assert moved.said == ""


def test_a_noise_before_it_stays_a_noise_until_it_begins() -> None:
    moved = [later(INTERRUPTION, [NOISE], np.random.default_rng(seed)) for seed in range(20)]
    told = {tuple(dict.fromkeys(one.targets.tolist())) for one in moved}
    waiting = (BEFORE_ONSET, SoundClass.INTERRUPTION)
    assert told == {waiting, (BEFORE_ONSET, SoundClass.NOISE, SoundClass.INTERRUPTION)}
    assert all((one.targets == SoundClass.INTERRUPTION).sum() >= LEFT_TO_HEAR for one in moved)
    assert all(set(np.unique(one.user)) == {-5.0, -4.0} for one in moved)


@pytest.mark.parametrize("first", [0, 3, FRAMES - LEFT_TO_HEAR])
def test_what_leaves_no_room_stays_as_it_is(first: int) -> None:
    targets = np.full(FRAMES, BEFORE_ONSET, np.int8)
    targets[first:] = UNDECIDED
    taught = INTERRUPTION._replace(targets=targets)
    assert taught.onset == first
    assert later(taught, [NOISE], np.random.default_rng(1)) is taught


def test_some_begin_later_and_some_do_not() -> None:
    rng = np.random.default_rng(6)
    onsets = [elsewhere(INTERRUPTION, [], rng).onset for _ in range(200)]
    assert np.mean(np.array(onsets) > ONSET) == pytest.approx(LATER_SHARE, abs=0.1)


def shard_of(sounds: list[SoundClass], leaks_db: list[float], sources: list[str]) -> Shard:
    """Every overlap of it is a power of ten louder than the one before."""
    nuisances = np.zeros((len(sounds), len(Nuisances.__annotations__)), np.float32)
    nuisances[:, list(Nuisances.__annotations__).index("leak_db")] = leaks_db
    user = np.stack([flat(row - 5.0) for row in range(len(sounds))]).astype(np.float16)
    return Shard(
        user=user,
        reference=user[..., :20],
        targets=np.tile(np.array(sounds, np.int8)[:, None], FRAMES),
        onsets=np.zeros(len(sounds), np.int32),
        classes=np.array(sounds, np.int8),
        nuisances=nuisances,
        sources=np.array(sources),
        said=np.array(["hiss"] * len(sounds)),
    )


def test_only_noises_in_which_no_agent_speaks_are_added() -> None:
    sounds = [SoundClass.NOISE, SoundClass.NOISE, SoundClass.INTERRUPTION]
    shard = shard_of(sounds, [-20.0, -80.0, -80.0], ["Rain"] * 3)
    (noise,) = noises_of(shard, np.arange(3))
    assert noise.said == "hiss"
    assert np.all(noise.user == -4.0)
    assert np.all(noise.targets == SoundClass.NOISE)


def test_what_is_left_out_of_training_is_not_added_to_it_either() -> None:
    shard = shard_of([SoundClass.NOISE] * 3, [-80.0] * 3, ["Rain", "Cafe\nRain", "Cafe"])
    kept = shard.without(["Rain"])
    assert [float(noise.user[0, 0]) for noise in noises_of(shard, kept)] == [-3.0]
    assert noises_of(shard, shard.without(["Rain", "Cafe"])) == []
