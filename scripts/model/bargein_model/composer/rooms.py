"""Rooms between a mouth, a loudspeaker and a microphone."""

import numpy as np

from bargein_model.composer import effects
from bargein_model.composer.corpus import Clip
from bargein_model.composer.overlap import Floats
from bargein_model.composer.pools import Pools, Random
from bargein_model.contract import SAMPLE_RATE

LONGEST_S = 0.6
ECHO_PATH = "sim_echo_path"


class Rooms:
    """Draws impulse responses and applies them."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    def talker(self, audio: Floats, rng: Random) -> Floats:
        """The user in a room, at the level they had."""
        return _at_level_of(effects.reverberated(audio, self._response(rng, echo=False)), audio)

    def echo(self, played: Floats, level_db: float, rng: Random) -> Floats:
        """The loudspeaker as the microphone hears it: late, coloured, distorted, part cancelled.

        `level_db` is against a user at 0 dB, whatever level the agent is played at.
        """
        audio = effects.at_level(played, 0.0)
        if rng.random() < 0.4:  # a loudspeaker driven too hard
            drive = np.float32(effects.gain(rng.uniform(-6, 12)))
            audio = np.asarray(np.tanh(audio * drive * 0.5) / drive, np.float32)
        lowest = float(rng.uniform(80, 500))
        curve = np.array([0, lowest / 2, lowest, 3000, 8000], np.float32)
        tilt = float(rng.uniform(-12, 6))
        audio = effects.coloured(audio, curve, np.array([-40, -20, 0, 0, tilt], np.float32))
        audio = effects.reverberated(audio, self._response(rng, echo=True))
        late = int(rng.uniform(0.02, 0.06 if rng.random() < 0.8 else 0.2) * SAMPLE_RATE)
        audio = np.concatenate([np.zeros(late, np.float32), audio])[: len(played)]
        audio = effects.at_level(audio, level_db)
        return _cancelled(audio, rng) if rng.random() < 0.4 else audio

    def _response(self, rng: Random, *, echo: bool) -> Floats:
        clip = self._pools.draw("rir", rng)
        for _ in range(8):
            if (clip.subclass == ECHO_PATH) == echo:
                break
            clip = self._pools.draw("rir", rng)
        return _trimmed(self._pools.corpus.audio(clip), clip)


def _trimmed(response: Floats, clip: Clip) -> Floats:
    peak = int(np.argmax(np.abs(response)))
    kept = effects.faded(np.pad(response[peak:][: int(LONGEST_S * SAMPLE_RATE)], (1, 1)), 2)
    tail = min(1600, len(kept) // 2)
    kept[-tail:] *= np.linspace(1, 0, tail, dtype=np.float32)
    energy = float(np.sqrt(np.sum(kept**2)))
    if energy == 0.0:
        raise ValueError(f"{clip.reel.name}: an impulse response without sound")
    return kept / np.float32(energy)


def _cancelled(audio: Floats, rng: Random) -> Floats:
    """What a canceller leaves: the level wanders from one half second to the next."""
    points = len(audio) // 4000 + 2
    depth_db = rng.uniform(-25, 0, points).astype(np.float32)
    wandering = np.interp(np.arange(len(audio)) / 4000, np.arange(points), depth_db)
    return audio * (10.0 ** (wandering / 20.0)).astype(np.float32)


def _at_level_of(audio: Floats, other: Floats) -> Floats:
    power = float(np.sum(audio**2))
    factor = np.sqrt(float(np.sum(other**2)) / power) if power > 0 else 1.0
    return audio * np.float32(factor)
