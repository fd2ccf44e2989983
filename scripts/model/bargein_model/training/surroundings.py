"""Other surroundings for composed overlaps, drawn anew whenever they are trained on.

Composing an overlap takes longer than training on it, so every one is used several times. Its
features allow to change what is around the sound: more noise, another level, another frequency
response, what was there before it, where in a frame it falls, and how long an echo takes; and the
length of the vocal tract. What is
in it, and so what is taught, stays; but several people's interruptions at once are nobody's, and
taught as babble.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bargein_model.composer.compose import NO_LEAK_DB
from bargein_model.composer.overlap import BEFORE_ONSET, Nuisances
from bargein_model.composer.pools import Random
from bargein_model.composer.shards import Shard
from bargein_model.composer.variation import draw_variation
from bargein_model.contract import FRAMES_PER_SECOND, SoundClass
from bargein_model.features import POWER_FLOOR, REFERENCE_BANDS, USER_BANDS, Floats

NOISIER_SHARE = 0.35
QUIETEST_NOISE_DB, LOUDEST_NOISE_DB = -30.0, -6.0
"""Of the noise's loud moments, against the overlap's."""
OTHER_LINE_SHARE = 0.6
LEVEL_DB, TILT_DB, WAVES_DB = 4.0, 3.0, 1.5
"""Standard deviations: of the level, of the slope over all bands, and of waves around it."""
STEP_SHARE = 0.25
LEAST_STEP_DB, LARGEST_STEP_DB = 3.0, 18.0
SLOWEST_STEP = FRAMES_PER_SECOND // 2
"""Frames that a step of the level takes at most."""
SHIFT_SHARE = 0.6
OTHER_SPEAKER_SHARE = 0.4
"""Share of references that are played at another level and over another loudspeaker."""
LONGER_WAY_SHARE = 0.5
LONGEST_WAY = 7
"""Frames by which echoes come later still, over a network or a slow loudspeaker."""
RESUMED_SHARE = 0.5
"""Share of the echoes that begin with the agent, which come after a pause of its instead."""
SHORTEST_PAUSE, LONGEST_PAUSE = FRAMES_PER_SECOND // 5, FRAMES_PER_SECOND * 3 // 5
LASTING_ECHO = FRAMES_PER_SECOND * 3 // 40
"""Frames by which an echo outlasts what the loudspeaker plays."""
OTHER_TRACT_SHARE = 0.5
BABBLE_SHARE = 0.08
"""Share of interruptions that others drown."""
FEWEST_OTHERS, MOST_OTHERS = 2, 6
LATER_SHARE = 0.4
LOUD_FRAMES = FRAMES_PER_SECOND // 5
"""The loudest so many are a sound's loud moments: the shortest words last no longer."""
WITHIN_DB = 20.0
"""A voice sounds from the first to the last frame that is so near to its loud moments."""
LEFT_TO_HEAR = FRAMES_PER_SECOND
"""Frames after the onset of an overlap that begins later."""
FLOOR = np.float32(np.log10(POWER_FLOOR))


class Taught(NamedTuple):
    """One overlap as it is taught."""

    user: Floats
    """(frames, 80)."""
    reference: Floats
    """(frames, 20)."""
    alone: Floats
    """(frames, 80): the sound without what is around it."""
    targets: NDArray[np.int8]
    said: str

    @classmethod
    def of(cls, shard: Shard, row: int) -> "Taught":
        """A shard's overlap."""
        user = np.asarray(shard.user[row], np.float32)
        reference = np.asarray(shard.reference[row], np.float32)
        alone = np.asarray(shard.alone[row], np.float32)
        return cls(user, reference, alone, shard.targets[row], str(shard.said[row]))

    @property
    def onset(self) -> int:
        """Its first frame in which something has begun."""
        return int(np.argmax(self.targets != BEFORE_ONSET))


class Around(NamedTuple):
    """What overlaps can be put among: others of their shard, without an agent's voice in them."""

    noises: list[Taught]
    voices: list[Taught]
    """Interruptions."""

    @classmethod
    def of(cls, shard: Shard, rows: NDArray[np.intp]) -> "Around":
        """What there is among these overlaps of a shard."""
        leak_db = shard.nuisances[rows, list(Nuisances.__annotations__).index("leak_db")]
        alone = rows[leak_db <= NO_LEAK_DB].tolist()
        noises = [row for row in alone if shard.classes[row] == SoundClass.NOISE]
        voices = [row for row in alone if shard.classes[row] == SoundClass.INTERRUPTION]
        return cls(*([Taught.of(shard, row) for row in found] for found in (noises, voices)))


def elsewhere(taught: Taught, around: Around, rng: Random) -> Taught:
    """The overlap as it would be in other surroundings."""
    taught, noises = _among(taught, around, rng), around.noises
    user, reference, alone = taught.user, taught.reference, taught.alone
    if noises and rng.random() < NOISIER_SHARE:
        level_db = rng.uniform(QUIETEST_NOISE_DB, LOUDEST_NOISE_DB)
        user = noisier(user, noises[rng.integers(len(noises))].user, level_db)
    if rng.random() < SHIFT_SHARE:
        by = float(rng.uniform(0.0, 2.0))
        user, alone = shifted(user, by), shifted(alone, by)
    if rng.random() < STEP_SHARE:
        user = user + _step(len(user), rng)
    if rng.random() < OTHER_LINE_SHARE:
        user = user + np.tile(_response(USER_BANDS, rng), 2)
    if rng.random() < OTHER_SPEAKER_SHARE:
        played = np.maximum(reference + _response(REFERENCE_BANDS, rng), FLOOR)
        reference = np.where(reference > FLOOR, played, reference)
    if rng.random() < LONGER_WAY_SHARE:
        reference = played_earlier(reference, int(rng.integers(1, LONGEST_WAY + 1)))
    if rng.random() < OTHER_TRACT_SHARE:
        tract = draw_variation(rng).in_full()
        user, alone = tract.of(user), tract.of(alone)
    return taught._replace(user=np.maximum(user, FLOOR), reference=reference, alone=alone)


def _among(taught: Taught, around: Around, rng: Random) -> Taught:
    """The overlap with others in it or before it."""
    interrupts = int(taught.targets[-1]) == SoundClass.INTERRUPTION
    if interrupts and around.voices and rng.random() < BABBLE_SHARE:
        taught = drowned(taught, around.voices, rng)
    if rng.random() < LATER_SHARE:
        taught = later(taught, around.noises if rng.random() < 0.5 else [], rng)
    return resumed(taught, rng) if rng.random() < RESUMED_SHARE else taught


def resumed(taught: Taught, rng: Random) -> Taught:
    """An echo that begins with the agent, after the agent has spoken before and made a pause.

    Otherwise whoever comes after an echo would be the user, since only they ever do. What was heard
    of the agent before is what comes of it now; the noise beneath is not heard twice.
    """
    onset = taught.onset
    begins = taught.reference.max(axis=1) > FLOOR
    if taught.targets[onset] != SoundClass.ECHO or begins[:onset].any() or not begins.any():
        return taught
    end = onset - int(rng.integers(SHORTEST_PAUSE, LONGEST_PAUSE))
    others = np.flatnonzero(taught.targets[onset:] != SoundClass.ECHO)
    frames = min(end, int(others[0]) if len(others) else len(taught.user) - onset)
    if frames <= LASTING_ECHO:
        return taught
    tone = (10.0 ** taught.user[:onset]).mean(axis=0)
    echo = np.maximum(10.0 ** taught.user[onset : onset + frames] - tone, 0.0)
    user, before = taught.user.copy(), slice(end - frames, end)
    user[before] = np.log10(10.0 ** user[before] + echo)
    reference, played = taught.reference.copy(), frames - LASTING_ECHO
    reference[end - frames : end - LASTING_ECHO] = reference[onset : onset + played]
    return taught._replace(user=user, reference=reference)


def drowned(taught: Taught, voices: list[Taught], rng: Random) -> Taught:
    """The same with other voices about as loud, from its onset on: babble, and no interruption.

    The others talk without a pause, so that no word stands alone and is called noise.
    """
    onset = taught.onset
    user, loud = 10.0**taught.user, _loud(10.0**taught.user)
    for _ in range(int(rng.integers(FEWEST_OTHERS, MOST_OTHERS + 1))):
        power = _sounding(voices[rng.integers(len(voices))])
        gain = loud / _loud(power) * 10.0 ** (rng.normal(0.0, 3.0) / 10)
        turned = np.roll(power, int(rng.integers(len(power))), axis=0)
        user[onset:] += np.resize(turned, user[onset:].shape) * np.float32(gain)
    targets = taught.targets.copy()
    targets[onset:] = SoundClass.NOISE
    return taught._replace(user=np.log10(user).astype(np.float32), targets=targets, said="")


def _sounding(voice: Taught) -> Floats:
    """The power of the frames in which a voice sounds: (frames, 80)."""
    level = (10.0**voice.alone).mean(axis=1)
    near = np.flatnonzero(level >= _loud(10.0**voice.alone) * 10.0 ** (-WITHIN_DB / 10))
    power: Floats = 10.0 ** voice.user[near[0] : near[-1] + 1]
    return power


def shifted(user: Floats, by: float) -> Floats:
    """What the frames would hold if they began up to a frame (2.0) later.

    In between two spectra, which overlap by half, their power is interpolated.
    """
    spectra = 10.0 ** user.reshape(-1, USER_BANDS)
    whole, part = int(by), np.float32(by - int(by))
    last = len(spectra) - 1
    first = np.minimum(np.arange(len(spectra)) + whole, last)
    between = (1 - part) * spectra[first] + part * spectra[np.minimum(first + 1, last)]
    log_mel: Floats = np.log10(between).astype(np.float32)
    return log_mel.reshape(user.shape)


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
        np.concatenate([taught.alone[np.arange(frames) % taught.onset], taught.alone[:left]]),
        targets,
        "",
    )


def played_earlier(reference: Floats, frames: int) -> Floats:
    """The same, known so many frames earlier: of the last ones nothing is known, so it is over."""
    over = np.full((frames, reference.shape[1]), FLOOR, np.float32)
    return np.concatenate([reference[frames:], over])


def noisier(user: Floats, noise: Floats, level_db: float) -> Floats:
    """Both together: the noise's loud moments lie `level_db` above the overlap's."""
    power, more = 10.0**user, 10.0**noise
    gain = _loud(power) / _loud(more) * 10.0 ** (level_db / 10)
    return np.log10(power + more * np.float32(gain)).astype(np.float32)


def _loud(power: Floats) -> float:
    """The level of the loud moments of something that may be short."""
    level = np.sort(power.mean(axis=1))
    return float(level[-LOUD_FRAMES:].mean())


def _step(frames: int, rng: Random) -> Floats:
    """What a change of level adds to the log power: (frames, 1), at random before or after it."""
    decibels = float(rng.choice([-1, 1]) * rng.uniform(LEAST_STEP_DB, LARGEST_STEP_DB))
    begins, lasts = rng.integers(frames), rng.integers(1, SLOWEST_STEP + 1)
    risen = np.clip((np.arange(frames) - begins) / lasts, 0.0, 1.0) - float(rng.integers(2))
    return (decibels / 10 * risen).astype(np.float32)[:, None]


def _response(bands: int, rng: Random) -> Floats:
    """What a random line adds to the log power of a spectrum's bands: (bands,)."""
    place = np.linspace(-1.0, 1.0, bands)
    decibels = rng.normal(0.0, LEVEL_DB) + rng.normal(0.0, TILT_DB) * place
    for cycles in (1, 2, 3):
        phase = rng.uniform(0.0, 2.0 * np.pi)
        decibels += rng.normal(0.0, WAVES_DB) * np.cos(np.pi * cycles * place + phase)
    return np.asarray(decibels / 10.0, np.float32)
