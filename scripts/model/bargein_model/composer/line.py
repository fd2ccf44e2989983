"""From the microphone to the server: room tone, colour, level, clipping, codec, lost packets."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from bargein_model.composer import effects
from bargein_model.composer.overlap import Floats
from bargein_model.composer.pools import Random


class Codec(Enum):
    """What the sound was coded with on its way."""

    NONE = 0
    MU_LAW = 1
    A_LAW = 2
    OPUS = 3


CODEC_SHARES = (0.67, 0.14, 0.12, 0.07)
BANDS_HZ = (3400.0, 3800.0, 5500.0, 7000.0, 8000.0)
BAND_SHARES = (0.14, 0.14, 0.22, 0.15, 0.35)


@dataclass(frozen=True, slots=True)
class Line:
    """One way from the room to the server; drawn without a look at what is said."""

    level_db: float
    tone_db: float
    silent: bool
    """No room tone at all: digital silence in the pauses."""
    gated: bool
    lowpass_hz: float
    highpass_hz: float
    tilt_db: float
    presence_db: float
    clip_db: float | None
    """Where the sound is cut off, against the user's level; what is left is then played loudly."""
    step_db: float
    """By how much the level changes at a random moment."""
    codec: Codec
    lost_share: float

    def carry(self, voice: Floats, background: Floats, rng: Random) -> Floats:
        """The microphone signal at the server; `voice` and `background` are relative to 0 dB."""
        scene = voice + background
        tone_db = min(self.tone_db - self.level_db, -8.0)
        if not self.silent:
            scene = scene + effects.room_tone(len(scene), rng) * np.float32(effects.gain(tone_db))
        if self.gated:
            scene = effects.gated(scene, voice, 30.0)
        audio = effects.coloured(scene, *self._curve()) * np.float32(effects.gain(self.level_db))
        audio = self._coded(self._driven(audio, rng), rng)
        if self.lost_share > 0:
            audio = effects.lost_packets(audio, rng, self.lost_share)
        return np.round(np.clip(audio, -1, 1) * 32767).astype(np.float32) / np.float32(32768)

    def _driven(self, audio: Floats, rng: Random) -> Floats:
        """With its step in level, and cut off where the line is driven too hard."""
        if self.step_db != 0.0:
            audio = audio.copy()
            at = int(rng.uniform(0.2, 0.7) * len(audio))
            audio[at:] *= np.float32(effects.gain(self.step_db))
        if self.clip_db is None:
            return np.clip(audio, -1, 1)
        limit = np.float32(effects.gain(self.level_db + self.clip_db))
        loudness = np.float32(effects.gain(float(rng.uniform(-16, -1))))
        return np.clip(audio, -limit, limit) / limit * loudness

    def _curve(self) -> tuple[Floats, Floats]:
        low, high = self.highpass_hz, self.lowpass_hz
        points = [0.0, low * 0.5, low, 1000.0, 2500.0, high, high * 1.06 + 1, high * 1.3 + 2]
        shape_db = [-60.0, -25.0, -1.0, 0.0, self.presence_db, self.tilt_db, -40.0, -90.0]
        return np.array(points, np.float32), np.array(shape_db, np.float32)

    def _coded(self, audio: Floats, rng: Random) -> Floats:
        if self.codec is Codec.MU_LAW:
            return effects.telephone(audio, effects.Law.MU)
        if self.codec is Codec.A_LAW:
            return effects.telephone(audio, effects.Law.A)
        if self.codec is Codec.OPUS:
            return effects.opus(audio, float(rng.uniform(0.9, 1.0)))
        return audio


def draw_line(rng: Random) -> Line:
    """A random line, independent of everything else."""
    codec = Codec(int(rng.choice(len(Codec), p=CODEC_SHARES)))
    narrow = codec in {Codec.MU_LAW, Codec.A_LAW}
    wide = float(rng.choice(BANDS_HZ, p=BAND_SHARES)) * float(rng.uniform(0.93, 1.0))
    level_db = float(rng.uniform(-42, -14))
    return Line(
        level_db=level_db,
        tone_db=float(rng.uniform(-85, -48)),
        silent=bool(rng.random() < 0.12),
        gated=bool(rng.random() < 0.08),
        lowpass_hz=float(rng.uniform(3300, 3600)) if narrow else wide,
        highpass_hz=float(rng.uniform(200, 320) if narrow else rng.uniform(20, 180)),
        tilt_db=float(rng.uniform(-9, 5)),
        presence_db=float(rng.uniform(-4, 5)),
        clip_db=float(rng.uniform(-6, 9)) if rng.random() < 0.07 else None,
        step_db=float(rng.uniform(-18, 18)) if rng.random() < 0.06 else 0.0,
        codec=codec,
        lost_share=float(rng.uniform(0.01, 0.08)) if rng.random() < 0.06 else 0.0,
    )
