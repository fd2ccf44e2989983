"""Puts a whole overlap together: who sounds when, the room, the echo, the background, the line."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bargein_model.composer import effects
from bargein_model.composer.corpus import Clip
from bargein_model.composer.foreground import SECOND_THOUGHTS, TALKERS_SHARE, Foreground, seconds
from bargein_model.composer.letters import together
from bargein_model.composer.line import Line, draw_line
from bargein_model.composer.overlap import Floats, Nuisances, Overlap, Sound, outcome, targets
from bargein_model.composer.pools import Pools, Random
from bargein_model.composer.rooms import Rooms
from bargein_model.contract import FRAME_SAMPLES, SAMPLE_RATE, SoundClass

SHARES: Mapping[SoundClass, float] = {
    SoundClass.INTERRUPTION: 0.40,
    SoundClass.BACKCHANNEL: 0.27,
    SoundClass.VOCAL: 0.09,
    SoundClass.NOISE: 0.13,
    SoundClass.ECHO: 0.11,
}
SOURCE_KINDS = ("real", "tts", "dsp")
MID_SOUND_SHARE = 0.04
"""Sequences that begin within the sound, as sliding windows do in long overlaps."""
ALONE_DB, TONE_DB = -28.0, -75.0
"""Levels of a sound that is heard alone, and of the room tone beneath it."""
NO_NOISE_DB = 60.0
NO_LEAK_DB = -80.0


@dataclass(frozen=True, slots=True)
class Leak:
    """The agent's voice: what the loudspeaker plays, and what of it the microphone hears."""

    played: Floats
    heard: Floats
    known: bool
    """Whether the server is given the reference."""
    level_db: float


class Composer:
    """Composes overlaps; the same generator state gives the same overlap."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools
        self._rooms = Rooms(pools)
        self._foreground = Foreground(pools)

    def compose(self, rng: Random, frames: int, sound: SoundClass | None = None) -> Overlap:
        """An overlap of `frames` frames; of a random class unless one is given."""
        length = frames * FRAME_SAMPLES
        sources = self._pools.note_sources()
        first = sound if sound is not None else _draw_class(rng)
        onset = self._onset(rng, first)
        sounds, opener, leak = self._scene(first, onset, length, rng)
        clean = _on_time_line(sounds, length)
        source_kind = opener.speaker_kind
        reverberant = bool(rng.random() < 0.55)
        voice = self._rooms.talker(clean, rng) if reverberant else clean
        snr_db = float(rng.triangular(-5, 18, 30)) if rng.random() < 0.6 else NO_NOISE_DB
        background = self._background(length, snr_db, rng)
        line = draw_line(rng)
        audio = line.carry(voice + leak.heard, background, rng)
        taught = targets(sounds, frames)
        return Overlap(
            audio=audio,
            reference=leak.played if leak.known else np.zeros(length, np.float32),
            alone=_alone(clean, rng),
            targets=taught,
            onset=onset,
            sound=outcome(taught),
            nuisances=_nuisances(source_kind, line, snr_db, reverberant, leak, onset),
            sources=frozenset(sources),
            said=_said(sounds, length),
        )

    def _onset(self, rng: Random, first: SoundClass) -> int:
        if first is not SoundClass.BACKCHANNEL and rng.random() < MID_SOUND_SHARE:
            return -seconds(0.2, 0.9, rng)
        return seconds(0.6, 1.5, rng)

    def _scene(
        self, first: SoundClass, onset: int, length: int, rng: Random
    ) -> tuple[list[Sound], Clip, Leak]:
        if first is SoundClass.ECHO:
            leak, opener = self._echo(onset, length, rng)
            silent = Sound(np.zeros(1, np.float32), onset, SoundClass.ECHO)
            if rng.random() < 0.3:
                speech = self._foreground.then_speech([silent], opener, rng)[-1]
                louder = effects.gain(float(rng.uniform(0, 30)))
                moved = speech.moved(onset + seconds(0.3, 2.0, rng) - speech.start)
                moved = replace(moved, audio=moved.audio * np.float32(louder))
                return [silent, moved], opener, leak
            return [silent], opener, leak
        sounds, opener = self._foreground.build(first, onset, rng)
        if first is not SoundClass.INTERRUPTION and rng.random() < SECOND_THOUGHTS:
            sounds = self._foreground.then_speech(sounds, opener, rng)
        return sounds, opener, self._leak(length, rng)

    def _leak(self, length: int, rng: Random) -> Leak:
        """The agent beside a user's sound: mostly inaudible, as cancelled echo should be."""
        silence = np.zeros(length, np.float32)
        if rng.random() < 0.4:
            return Leak(silence, silence, False, NO_LEAK_DB)
        played, _ = self._agent(length, rng)
        known = bool(rng.random() < 0.75)
        if rng.random() < 0.4:
            return Leak(played, silence, known, NO_LEAK_DB)
        level_db = float(rng.uniform(-40, -10))
        return Leak(played, self._rooms.echo(played, level_db, rng), known, level_db)

    def _echo(self, onset: int, length: int, rng: Random) -> tuple[Leak, Clip]:
        """Only the agent sounds: it begins at the onset, or its cancelled echo breaks through.

        It is as loud as a user, or, more often, up to 40 dB quieter.
        """
        played, clip = self._agent(length, rng)
        level_db = float(rng.uniform(-40.0, -10.0)) if rng.random() < 0.6 else 0.0
        begin = max(0, onset)
        if rng.random() < 0.45:
            played = np.concatenate([np.zeros(begin, np.float32), played[: length - begin]])
            heard = self._rooms.echo(played, level_db, rng)
        else:
            heard = self._rooms.echo(played, level_db, rng)
            before_db = float(rng.choice([-60.0, -30.0, -15.0, 0.0]))
            heard[:begin] *= np.float32(effects.gain(before_db))
        return Leak(played, heard, bool(rng.random() < 0.75), level_db), clip

    def _agent(self, length: int, rng: Random) -> tuple[Floats, Clip]:
        """An agent's answer of this length, at a usual playing level."""
        kind = "agent" if rng.random() < 0.6 else "speech"
        first = clip = self._pools.draw(kind, rng)
        pieces: list[Floats] = []
        missing = length
        while missing > 0:
            begin, spare = clip.onset, clip.offset - clip.onset - length
            if spare > SAMPLE_RATE:
                begin += int(rng.integers(spare))
            audio = self._pools.corpus.audio(clip, begin, min(clip.offset, begin + length))
            pieces += [effects.faded(audio), np.zeros(seconds(0.1, 0.5, rng), np.float32)]
            missing -= len(audio) + len(pieces[-1])
            clip = self._pools.companion(clip, kind, rng)
        answer = np.concatenate(pieces)[:length]
        if rng.random() < 0.4:
            answer = effects.faster(np.pad(answer, (0, length)), rng.uniform(0.85, 1.15))[:length]
        return effects.at_level(answer, float(rng.uniform(-30, -14))), first

    def _background(self, length: int, snr_db: float, rng: Random) -> Floats:
        """Noise that is there from the beginning, at `-snr_db` against a user at 0 dB."""
        if snr_db >= NO_NOISE_DB:
            return np.zeros(length, np.float32)
        kind = str(rng.choice(["noise", "music", "babble"], p=[0.55, 0.2, 0.25]))
        if kind == "babble" and rng.random() < TALKERS_SHARE:
            return effects.at_level(self._pools.talkers(length, rng), -snr_db)
        clip = self._pools.draw(kind, rng)
        begin = int(rng.integers(max(1, clip.end - clip.start - length)))
        audio = self._pools.corpus.audio(clip, begin, begin + length)
        audio = np.resize(audio, length) if len(audio) else np.zeros(length, np.float32)
        return effects.at_level(audio, -snr_db)


def _draw_class(rng: Random) -> SoundClass:
    return SoundClass(int(rng.choice(len(SHARES), p=[SHARES[sound] for sound in SoundClass])))


def _on_time_line(sounds: list[Sound], length: int) -> Floats:
    audio = np.zeros(length, np.float32)
    for sound in sounds:
        begin, end = max(0, sound.start), min(length, sound.end)
        if begin < end:
            audio[begin:end] += sound.audio[begin - sound.start : end - sound.start]
    return audio


def _alone(clean: Floats, rng: Random) -> Floats:
    tone = effects.room_tone(len(clean), rng) * np.float32(effects.gain(TONE_DB))
    return np.asarray(clean * np.float32(effects.gain(ALONE_DB)) + tone, np.float32)


def _said(sounds: list[Sound], length: int) -> str:
    """What can be heard to its end; nothing if a part of it cannot."""
    cut = any(sound.start < 0 or sound.end > length for sound in sounds)
    return "" if cut else together([sound.said for sound in sounds])


def _nuisances(
    source_kind: str, line: Line, snr_db: float, reverberant: bool, leak: Leak, onset: int
) -> Nuisances:
    return Nuisances(
        source_kind=SOURCE_KINDS.index(source_kind),
        lowpass_hz=line.lowpass_hz,
        level_db=line.level_db,
        snr_db=snr_db,
        codec=line.codec.value,
        silence=int(line.silent),
        reverberant=int(reverberant),
        reference=int(leak.known),
        leak_db=leak.level_db,
        pre_roll_s=onset / 16_000,
    )
