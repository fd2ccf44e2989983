"""Sounds for windows, made on the spot: 16 kHz mono s16le."""

import numpy as np

RATE = 16_000


def silence(duration_s: float) -> bytes:
    """Digital silence with a trace of noise, as a line has it."""
    noise = np.random.default_rng(7).integers(-2, 3, round(duration_s * RATE))
    return noise.astype("<i2").tobytes()


def voice(duration_s: float, level: float = 0.2) -> bytes:
    """A buzz with the spectrum and the rhythm of speech; the VAD takes it for a voice."""
    t = np.arange(round(duration_s * RATE)) / RATE
    pitch = 2 * np.pi * (120 * t + 3 * np.sin(2 * np.pi * 2.5 * t))
    buzz = sum(np.sin(n * pitch) / n for n in range(1, 25))
    rhythm = 0.7 + 0.3 * np.sin(2 * np.pi * 4 * t)
    samples = buzz * rhythm
    pcm: bytes = np.round(samples / np.abs(samples).max() * level * 32767).astype("<i2").tobytes()
    return pcm


def growing(pcm: bytes, first_s: float, hop_s: float = 0.1, most_s: float = 3.0) -> list[bytes]:
    """The windows that a client sends of `pcm`: one every hop, at most `most_s`, then sliding."""
    hop, first, most = (2 * round(s * RATE) for s in (hop_s, first_s, most_s))
    ends = range(first, len(pcm) + 1, hop)
    return [pcm[max(0, end - most) : end] for end in ends]
