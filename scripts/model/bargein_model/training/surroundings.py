"""Other surroundings for composed overlaps, drawn anew whenever they are trained on.

Composing an overlap takes longer than training on it, so every one is used several times. Its
features allow to change what is around the sound: more noise, another level, another frequency
response, and what was there before it. What is in it, and so what is taught, stays.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bargein_model.composer.compose import NO_LEAK_DB
from bargein_model.composer.overlap import BEFORE_ONSET, Nuisances
from bargein_model.composer.pools import Random
from bargein_model.composer.shards import Shard
from bargein_model.contract import FRAMES_PER_SECOND, SoundClass
from bargein_model.features import POWER_FLOOR, USER_BANDS, Floats

NOISIER_SHARE = 0.35
QUIETEST_NOISE_DB, LOUDEST_NOISE_DB = -30.0, -6.0
"""Of the noise's loud moments, against the overlap's."""
OTHER_LINE_SHARE = 0.6
LEVEL_DB, TILT_DB, WAVES_DB = 4.0, 3.0, 1.5
"""Standard deviations: of the level, of the slope over all bands, and of waves around it."""
LATER_SHARE = 0.4
LEFT_TO_HEAR = FRAMES_PER_SECOND
"""Frames after the onset of an overlap that begins later."""
FLOOR = np.float32(np.log10(POWER_FLOOR))


class Taught(NamedTuple):
    """One overlap as it is taught."""

    user: Floats
    """(frames, 80)."""
    reference: Floats
    """(frames, 20)."""
    targets: NDArray[np.int8]
    said: str

    @classmethod
    def of(cls, shard: Shard, row: int) -> "Taught":
        """A shard's overlap."""
        user = np.asarray(shard.user[row], np.float32)
        reference = np.asarray(shard.reference[row], np.float32)
        return cls(user, reference, shard.targets[row], str(shard.said[row]))

    @property
    def onset(self) -> int:
        """Its first frame in which something has begun."""
        return int(np.argmax(self.targets != BEFORE_ONSET))


def noises_of(shard: Shard, rows: NDArray[np.intp]) -> list[Taught]:
    """The noises among these overlaps of a shard, without an agent's voice in them."""
    leak_db = shard.nuisances[rows, list(Nuisances.__annotations__).index("leak_db")]
    alone = (shard.classes[rows] == SoundClass.NOISE) & (leak_db <= NO_LEAK_DB)
    return [Taught.of(shard, row) for row in rows[alone].tolist()]


def elsewhere(taught: Taught, noises: list[Taught], rng: Random) -> Taught:
    """The overlap as it would be in other surroundings."""
    if rng.random() < LATER_SHARE:
        taught = later(taught, noises if rng.random() < 0.5 else [], rng)
    user = taught.user
    if noises and rng.random() < NOISIER_SHARE:
        level_db = rng.uniform(QUIETEST_NOISE_DB, LOUDEST_NOISE_DB)
        user = noisier(user, noises[rng.integers(len(noises))].user, level_db)
    if rng.random() < OTHER_LINE_SHARE:
        user = np.maximum(user + _response(rng), FLOOR)
    return taught._replace(user=user)


def later(taught: Taught, noises: list[Taught], rng: Random) -> Taught:
    """The same, but it begins later, for noise may have opened an overlap long before.

    What is heard until then is one of the noises or, without any, more of what was there before.
    Otherwise whatever begins late would be an interruption, since only those follow on a sound.
    """
    room = len(taught.user) - taught.onset - LEFT_TO_HEAR
    if room < 1 or taught.onset < FRAMES_PER_SECOND // 4:
        return taught
    frames = int(rng.integers(1, room + 1))
    before = noises[rng.integers(len(noises))] if noises else taught
    used = np.arange(frames) % (frames if noises else taught.onset)
    left = len(taught.user) - frames
    targets = np.concatenate([before.targets[used], taught.targets[:left]])
    targets[frames:][targets[frames:] == BEFORE_ONSET] = targets[frames - 1]
    return Taught(
        np.concatenate([before.user[used], taught.user[:left]]),
        np.concatenate([before.reference[used], taught.reference[:left]]),
        targets,
        "",
    )


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
