"""What the user does: one builder per kind of overlap, each returning sounds on the time line."""

from dataclasses import dataclass

import numpy as np

from bargein_model.composer import effects
from bargein_model.composer.corpus import Clip
from bargein_model.composer.letters import said_in
from bargein_model.composer.overlap import Floats, Sound
from bargein_model.composer.pools import Pools, Random
from bargein_model.contract import SAMPLE_RATE, SoundClass

ACKNOWLEDGING = frozenset(
    {"yeah", "yes", "yep", "yup", "okay", "ok", "oh", "ah", "aha", "uh", "huh", "hmm", "mm", "mhm"}
    | {"mm-hmm", "uh-huh", "right", "sure", "well", "good", "great", "nice", "cool", "wow"}
    | {"really", "exactly", "alright", "fine", "true", "perfect"}
)
UNSURE_S = 0.75
"""By then more has begun in half of the lines whose openings are listed (`openings`)."""
FALSE_STARTS = 0.3
"""Share of longer interruptions that break off after a word or two."""
LATER_WORDS = 0.4
"""Share of longer interruptions that begin with a later word of what was said."""
SHORTEST_CUT = int(1.3 * SAMPLE_RATE)
"""What is shorter begins with its first word."""
TALKERS_SHARE = 0.6
"""Share of babble that is mixed of talkers here; the corpus has few recordings of it."""
SECOND_THOUGHTS = 0.14
"""Share of overlaps in which the user goes on to interrupt after another sound."""


def seconds(low: float, high: float, rng: Random) -> int:
    """A uniform duration in samples."""
    return int(rng.uniform(low, high) * SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of a clip, and whether the clip's first and last words are in it."""

    audio: Floats
    first: bool
    last: bool


class Foreground:
    """Builds the user's sounds from clips."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    def build(self, sound: SoundClass, start: int, rng: Random) -> tuple[list[Sound], Clip]:
        """Sounds of one overlap that begins at `start`, and the clip it opens with."""
        builder = {
            SoundClass.INTERRUPTION: self._interruption,
            SoundClass.BACKCHANNEL: self._backchannel,
            SoundClass.VOCAL: self._vocal,
            SoundClass.NOISE: self._noise,
        }[sound]
        return builder(start, rng)

    def then_speech(self, sounds: list[Sound], opener: Clip, rng: Random) -> list[Sound]:
        """The same overlap, but the user then says something."""
        clip = self._pools.companion(opener, "speech", rng)
        start = min(sounds[-1].end, sounds[0].start + seconds(0.5, 2.0, rng))
        speech = self._said(clip, start + seconds(0.05, 0.9, rng), SoundClass.INTERRUPTION, rng)
        return [*sounds, speech]

    def _interruption(self, start: int, rng: Random) -> tuple[list[Sound], Clip]:
        if rng.random() < 0.08:
            return self._backchannel_then_speech(start, rng)
        clip = self._pools.draw("speech", rng)
        first = self._said(clip, start, SoundClass.INTERRUPTION, rng)
        if len(first.audio) > 1.2 * SAMPLE_RATE or rng.random() < 0.6:
            return [first], clip
        more = self._pools.companion(clip, "speech", rng)
        gap = seconds(0.1, 0.7, rng)
        return [first, self._said(more, first.end + gap, SoundClass.INTERRUPTION, rng)], clip

    def _backchannel_then_speech(self, start: int, rng: Random) -> tuple[list[Sound], Clip]:
        clip = self._pools.draw("backchannel", rng)
        first = self._said(clip, start, SoundClass.BACKCHANNEL, rng)
        speech = self._pools.companion(clip, "speech", rng)
        gap = seconds(0.03, 0.4, rng)
        return [first, self._said(speech, first.end + gap, SoundClass.INTERRUPTION, rng)], clip

    def _backchannel(self, start: int, rng: Random) -> tuple[list[Sound], Clip]:
        clip = self._pools.draw("backchannel", rng)
        sounds = [self._said(clip, start, SoundClass.BACKCHANNEL, rng)]
        while rng.random() < 0.15 and len(sounds) < 3:
            again = self._pools.companion(clip, "backchannel", rng)
            gap = seconds(0.1, 1.2, rng)
            sounds.append(self._said(again, sounds[-1].end + gap, SoundClass.BACKCHANNEL, rng))
        return sounds, clip

    def _vocal(self, start: int, rng: Random) -> tuple[list[Sound], Clip]:
        clip = self._pools.draw("vocal", rng)
        sounds = [self._said(clip, start, SoundClass.VOCAL, rng)]
        while rng.random() < 0.3 and len(sounds) < 4:
            again = self._pools.companion(clip, "vocal", rng)
            gap = seconds(0.05, 0.8, rng)
            sounds.append(self._said(again, sounds[-1].end + gap, SoundClass.VOCAL, rng))
        return sounds, clip

    def _noise(self, start: int, rng: Random) -> tuple[list[Sound], Clip]:
        kind = str(rng.choice(["noise", "music", "babble"], p=[0.55, 0.22, 0.23]))
        clip = self._pools.draw(kind, rng)
        wanted = seconds(0.3, 5.0, rng)
        begin, spare = clip.onset, clip.end - clip.start - clip.onset - wanted
        if spare > 0 and rng.random() < 0.7:
            begin += int(rng.integers(spare + 1))
        if kind == "babble" and rng.random() < TALKERS_SHARE:
            audio = self._pools.talkers(wanted, rng)
        else:
            audio = self._pools.corpus.audio(clip, begin, begin + wanted)
        if rng.random() < 0.3:
            audio = effects.faster(audio, rng.uniform(0.8, 1.25))
        swell = int(rng.choice([80, 800, 8000], p=[0.6, 0.25, 0.15]))
        level = rng.normal(0.0, 3.0)
        audio = effects.at_level(effects.faded(audio, swell), level)
        return [Sound(audio, start, SoundClass.NOISE)], clip

    def _said(self, clip: Clip, start: int, sound: SoundClass, rng: Random) -> Sound:
        """A clip trimmed to its sound, at about 0 dB, with tempo and pitch changed at random."""
        begin = max(0, clip.onset - 320)
        if rng.random() < 0.12:
            begin = clip.onset + seconds(0.0, 0.07, rng)  # a gate that opened late
        audio = self._pools.corpus.audio(clip, begin, clip.offset + 480)
        words = Words(audio, first=True, last=True)
        if sound is SoundClass.INTERRUPTION and clip.continuation is None:
            words = _some_words(audio, clip.onset - begin, rng)
        audio, rate = words.audio, 1.0
        if rng.random() < 0.7:
            pitch = float(np.exp(rng.normal(0.0, 0.12)))
            audio, rate = effects.faster(audio, pitch), rate * pitch
        if rng.random() < 0.45:
            tempo = float(np.exp(rng.uniform(-0.25, 0.25)))
            audio, rate = effects.stretched(audio, tempo), rate * tempo
        audio = effects.at_level(effects.faded(audio), rng.normal(0.0, 1.5))
        turns, unsure = None, None
        if sound is SoundClass.INTERRUPTION and clip.continuation is not None:
            sound = SoundClass.BACKCHANNEL
            turns = start + int((clip.continuation - begin) / rate)
        elif sound is SoundClass.INTERRUPTION and words.first and _may_acknowledge(clip):
            unsure = start + int(UNSURE_S * SAMPLE_RATE)
        said = said_in(clip) if words.first and words.last else None
        return Sound(audio, start, sound, turns, unsure, said)


def _some_words(audio: Floats, onset: int, rng: Random) -> Words:
    """All that an interruption says, or what begins later or breaks off."""
    first = len(audio) < SHORTEST_CUT or rng.random() >= LATER_WORDS
    from_there = audio if first else _from_a_later_word(audio, rng)
    kept = _false_start(from_there, onset if first else 0, rng)
    return Words(kept, first=first, last=len(kept) == len(from_there))


def _from_a_later_word(audio: Floats, rng: Random) -> Floats:
    """What follows some dip in the sound: recordings have many words, but few openings."""
    earliest = seconds(0.25, len(audio) / SAMPLE_RATE - 1.0, rng)
    return audio[_dip(audio, earliest, earliest + int(0.4 * SAMPLE_RATE)) :]


def _dip(audio: Floats, earliest: int, latest: int) -> int:
    """The middle of the quietest 10 ms between two samples."""
    pieces = audio[earliest : latest - (latest - earliest) % 160].reshape(-1, 160)
    return earliest + 160 * int(np.argmin(np.mean(pieces**2, axis=1))) + 80


def _false_start(audio: Floats, onset: int, rng: Random) -> Floats:
    """Now and then only the first word or two, up to a dip in the sound: "I want –".

    Without these, whatever is short would be a backchannel, for few recordings hold single words.
    """
    earliest, latest = onset + int(0.2 * SAMPLE_RATE), onset + int(0.8 * SAMPLE_RATE)
    if len(audio) < latest + 1600 or rng.random() >= FALSE_STARTS:
        return audio
    earliest += int(rng.uniform(0.0, 0.35) * SAMPLE_RATE)
    return audio[: _dip(audio, earliest, latest)]


def _may_acknowledge(clip: Clip) -> bool:
    words = clip.text.lower().replace(",", " ").replace(".", " ").split()
    return bool(words) and words[0].strip("!?-'") in ACKNOWLEDGING
