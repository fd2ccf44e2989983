"""The exam's own rooms, backgrounds, echo and lines.

They share the primitives with the composer of training material but none of its choices, so that
an exam does not change when training does.
"""

import numpy as np
from numpy.typing import NDArray

from bargein_model.composer import effects
from bargein_model.contract import SAMPLE_RATE

Floats = NDArray[np.float32]
Random = np.random.Generator

LONGEST_ROOM_S = 0.7


def in_room(audio: Floats, response: Floats) -> Floats:
    """The sound through an impulse response that begins at its direct sound, at the old level."""
    direct = int(np.argmax(np.abs(response)))
    kept = response[max(0, direct - 8) : direct + int(LONGEST_ROOM_S * SAMPLE_RATE)]
    wet = effects.reverberated(audio, kept)
    power = float(np.mean(wet**2))
    return wet * np.float32(np.sqrt(float(np.mean(audio**2)) / power) if power > 0 else 1.0)


def background(clip: Floats, length: int, level_db: float, rng: Random) -> Floats:
    """A piece of a long recording at this active level, from a random place on."""
    start = int(rng.integers(max(1, len(clip) - length)))
    return effects.at_level(np.resize(clip[start:], length), level_db)


def echo_of(
    agent: Floats, response: Floats, level_db: float, late_s: tuple[float, float], rng: Random
) -> Floats:
    """What the microphone hears of the loudspeaker: driven, late by so much, in the room."""
    drive = np.float32(rng.uniform(0.2, 2.0)) / np.float32(np.abs(agent).max() + 1e-9)
    driven = np.tanh(agent * drive) / drive
    late = int(rng.uniform(*late_s) * SAMPLE_RATE)
    delayed = np.concatenate([np.zeros(late, np.float32), driven])[: len(agent)]
    heard = in_room(delayed.astype(np.float32), response)
    return effects.at_level(heard, level_db)


def through_line(audio: Floats, rng: Random) -> Floats:
    """One of the ways in which audio reaches a server: plain, telephone, Opus, narrow, clipped."""
    way = rng.choice(["plain", "mu", "a", "opus", "narrow"], p=[0.4, 0.15, 0.1, 0.25, 0.1])
    if rng.random() < 0.05:
        limit = np.float32(np.abs(audio).max() * rng.uniform(0.2, 0.6))
        audio = np.clip(audio, -limit, limit)
    if way == "mu":
        return telephone(audio)
    if way == "a":
        return effects.telephone(_telephone_band(audio), effects.Law.A)
    if way == "opus":
        return effects.opus(audio, float(rng.uniform(0.9, 0.98)))
    if way == "narrow":
        edge = float(rng.uniform(3800, 6500))
        return _band(audio, [0, edge, edge * 1.15, 8000], [0, 0, -50, -80])
    return audio


def telephone(audio: Floats) -> Floats:
    """300–3400 Hz, 8 kHz, µ-law."""
    return effects.telephone(_telephone_band(audio), effects.Law.MU)


def levels_changed(audio: Floats, onset: int, end: int, rng: Random) -> Floats:
    """Very quiet, hard clipped, or stepping up or down by 12–18 dB while the sound lasts."""
    kind = rng.choice(["quiet", "clipped", "step"])
    if kind == "quiet":
        return audio * np.float32(effects.gain(-float(rng.uniform(15, 22))))
    if kind == "clipped":
        limit = np.float32(np.abs(audio).max() * rng.uniform(0.1, 0.3))
        return np.clip(audio, -limit, limit) / limit * np.float32(0.9)
    at = onset + int(rng.uniform(0.2, 0.8) * max(1, end - onset))
    before_db = float(rng.choice([-1, 1]) * rng.uniform(12, 18))
    gain_db = np.where(np.arange(len(audio)) < at, before_db, 0.0) - max(before_db, 0.0)
    return (audio * 10.0 ** (gain_db / 20)).astype(np.float32)


def _telephone_band(audio: Floats) -> Floats:
    return _band(audio, [0, 200, 300, 3400, 3800, 8000], [-40, -20, 0, 0, -40, -80])


def _band(audio: Floats, points_hz: list[float], gains_db: list[float]) -> Floats:
    return effects.coloured(audio, np.array(points_hz, np.float32), np.array(gains_db, np.float32))
