"""What training changes around a composed overlap, and what it leaves as it was."""

import numpy as np
import pytest
from bargein_model.composer.overlap import Nuisances
from bargein_model.composer.shards import Shard
from bargein_model.contract import SoundClass
from bargein_model.features import USER_BANDS, Floats
from bargein_model.training.surroundings import FLOOR, elsewhere, noises_of, noisier

FRAMES = 40


def flat(level: float) -> Floats:
    return np.full((FRAMES, 2 * USER_BANDS), level, np.float32)


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
    user, noises = np.stack([flat(-4.0)] * 8), flat(-5.0)[None]
    first, other, again = (elsewhere(user, noises, np.random.default_rng(n)) for n in (1, 2, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.all(user == -4.0)


def test_what_changes_is_the_level_and_smooth_over_the_bands() -> None:
    user = np.random.default_rng(3).normal(-4.0, 0.5, (64, FRAMES, 2 * USER_BANDS))
    changed = elsewhere(
        user.astype(np.float32), np.zeros((0, 1, 1), np.float32), np.random.default_rng(4)
    )
    response = changed - user
    np.testing.assert_allclose(response, response[:, :1] + np.zeros_like(response), atol=1e-5)
    np.testing.assert_allclose(response[..., :USER_BANDS], response[..., USER_BANDS:], atol=1e-5)
    steps_in_bels = np.abs(np.diff(response[:, 0, :USER_BANDS]))
    assert steps_in_bels.max() < 0.3
    untouched = np.isclose(response, 0, atol=1e-5).all(axis=(1, 2)).mean()
    assert 0.2 < untouched < 0.6


def test_nothing_falls_below_the_floor() -> None:
    silence = np.stack([flat(float(FLOOR))] * 16)
    assert elsewhere(silence, silence[:1], np.random.default_rng(5)).min() >= FLOOR


def test_only_noises_in_which_no_agent_speaks_are_added() -> None:
    sounds = [SoundClass.NOISE, SoundClass.NOISE, SoundClass.INTERRUPTION]
    nuisances = np.zeros((3, len(Nuisances.__annotations__)), np.float32)
    nuisances[:, list(Nuisances.__annotations__).index("leak_db")] = [-20.0, -80.0, -80.0]
    none, said = np.zeros(3, np.int8), np.array(["", "", ""])
    user = np.stack([flat(level) for level in (-3.0, -4.0, -5.0)]).astype(np.float16)
    shard = Shard(
        user=user,
        reference=user[..., :20],
        targets=none[:, None],
        onsets=none.astype(np.int32),
        classes=np.array(sounds, np.int8),
        nuisances=nuisances,
        sources=said,
        said=said,
    )
    assert np.array_equal(noises_of(shard), user[1:2].astype(np.float32))
