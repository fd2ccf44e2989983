"""Other surroundings for composed overlaps, drawn anew whenever they are trained on.

Composing an overlap takes longer than training on it, so every one is used several times. Its
features allow to change what is around the sound: more noise, another level, another frequency
response. What is in it, and so what is taught, stays.
"""

import numpy as np

from bargein_model.composer.overlap import Nuisances
from bargein_model.composer.pools import Random
from bargein_model.composer.shards import Shard
from bargein_model.contract import SoundClass
from bargein_model.features import POWER_FLOOR, USER_BANDS, Floats

NOISIER_SHARE = 0.35
QUIETEST_NOISE_DB, LOUDEST_NOISE_DB = -30.0, -6.0
"""Of the noise's loud moments, against the overlap's."""
OTHER_LINE_SHARE = 0.6
LEVEL_DB, TILT_DB, WAVES_DB = 4.0, 3.0, 1.5
"""Standard deviations: of the level, of the slope over all bands, and of waves around it."""
FLOOR = np.float32(np.log10(POWER_FLOOR))


def noises_of(shard: Shard) -> Floats:
    """The shard's noises without an agent's voice in them, (noises, frames, 80)."""
    leak_db = shard.nuisances[:, list(Nuisances.__annotations__).index("leak_db")]
    alone = (shard.classes == SoundClass.NOISE) & (leak_db < leak_db.min() + 1.0)
    return np.asarray(shard.user[alone], np.float32)


def elsewhere(user: Floats, noises: Floats, rng: Random) -> Floats:
    """Log-mel features, (overlaps, frames, 80), as they would be in other surroundings."""
    changed = user.copy()
    for row in range(len(changed)):
        if len(noises) and rng.random() < NOISIER_SHARE:
            level_db = rng.uniform(QUIETEST_NOISE_DB, LOUDEST_NOISE_DB)
            changed[row] = noisier(changed[row], noises[rng.integers(len(noises))], level_db)
        if rng.random() < OTHER_LINE_SHARE:
            changed[row] = np.maximum(changed[row] + _response(rng), FLOOR)
    return changed


def noisier(user: Floats, noise: Floats, level_db: float) -> Floats:
    """Both together: the noise's loud moments lie `level_db` above the overlap's."""
    power, more = 10.0**user, 10.0**noise
    gain = _loud(power) / _loud(more) * 10.0 ** (level_db / 10)
    return np.log10(power + more * np.float32(gain)).astype(np.float32)


def _loud(power: Floats) -> float:
    return float(np.quantile(power.mean(axis=1), 0.9))


def _response(rng: Random) -> Floats:
    """What a random line adds to the log power of both spectra's bands: (80,)."""
    place = np.linspace(-1.0, 1.0, USER_BANDS)
    decibels = rng.normal(0.0, LEVEL_DB) + rng.normal(0.0, TILT_DB) * place
    for cycles in (1, 2, 3):
        phase = rng.uniform(0.0, 2.0 * np.pi)
        decibels += rng.normal(0.0, WAVES_DB) * np.cos(np.pi * cycles * place + phase)
    return np.tile(decibels / 10.0, 2).astype(np.float32)
