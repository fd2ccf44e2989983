"""The values a composition is made of: sounds on a time line, and the finished overlap."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bargein_model.contract import FRAME_SAMPLES, SoundClass

Floats = NDArray[np.float32]

BEFORE_ONSET = -1
"""Target of a frame in which nothing has begun."""
UNDECIDED = -2
"""Target of a frame about which the corpus does not know enough to teach."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of foreground on the time line; samples count from the sequence's first."""

    audio: Floats
    start: int
    """Where it begins; negative when the sequence begins in the midst of it."""
    sound: SoundClass
    turns_at: int | None = None
    """Where a backchannel turns out to be the opening of an interruption."""
    unsure_until: int | None = None
    """Until here the words allow either reading."""
    said: str | None = None
    """In letters; None: speech whose words are not known."""

    @property
    def end(self) -> int:
        """The first sample after it."""
        return self.start + len(self.audio)

    def moved(self, by: int) -> "Sound":
        """The same so many samples later."""
        turns, unsure = (
            None if at is None else at + by for at in (self.turns_at, self.unsure_until)
        )
        return replace(self, start=self.start + by, turns_at=turns, unsure_until=unsure)


@dataclass(frozen=True, slots=True)
class Nuisances:
    """What must tell nothing about the class; the probe tries to guess the class from these."""

    source_kind: int
    lowpass_hz: float
    level_db: float
    snr_db: float
    codec: int
    silence: int
    reverberant: int
    reference: int
    leak_db: float
    pre_roll_s: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """One composed example, as the server would hear it."""

    audio: Floats
    """The user's microphone."""
    reference: Floats
    """What the loudspeaker plays; zeros when unknown."""
    alone: Floats
    """What is heard of the user's sound alone, close by: without room, echo, background and line.

    A network that hears this can teach one that has to hear `audio`."""
    targets: NDArray[np.int8]
    """Per 25 ms frame a `SoundClass`, `BEFORE_ONSET` or `UNDECIDED`."""
    onset: int
    """Sample at which the overlap began; negative in windows that begin within it."""
    sound: SoundClass
    """What the overlap turns out to be in the end."""
    nuisances: Nuisances
    sources: frozenset[str]
    """Of every clip that is in it."""
    said: str
    """What the user says from beginning to end, in letters; empty where that is not known."""


def outcome(taught: NDArray[np.int8]) -> SoundClass:
    """The last class that the targets of an overlap are sure of."""
    return SoundClass(int(taught[taught >= 0][-1]))


def targets(sounds: list[Sound], frames: int) -> NDArray[np.int8]:
    """What is known at the end of each frame; an interruption stays one, whatever follows."""
    result = np.full(frames, BEFORE_ONSET, np.int8)
    for sound in sorted(sounds, key=lambda one: one.start):
        begin = max(0, sound.start // FRAME_SAMPLES)
        later = result[begin:]
        interrupted = later == SoundClass.INTERRUPTION
        if sound.sound is SoundClass.INTERRUPTION:
            later[:] = SoundClass.INTERRUPTION
        else:
            later[later == BEFORE_ONSET] = sound.sound
        if sound.unsure_until is not None:
            unsure = np.arange(len(later)) < sound.unsure_until // FRAME_SAMPLES - begin
            later[unsure & ~interrupted] = UNDECIDED
        if sound.turns_at is not None:
            result[max(0, sound.turns_at // FRAME_SAMPLES) :] = SoundClass.INTERRUPTION
    return result
