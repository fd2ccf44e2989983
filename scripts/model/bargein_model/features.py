"""Log-mel features, computed the same way here (NumPy, for training) and in the ONNX graph.

A 25 ms analysis window slides by 12.5 ms, so a frame of 400 samples has two spectra of the user;
the reference needs only the second. Hops of half a window allow a cheap exact transform: with the
phase taken from the window's centre, the cosine part of a spectrum is even around it and the sine
part odd. Folding the window there halves the multiplications of a plain DFT matrix.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bargein_model.contract import FRAME_SAMPLES, SAMPLE_RATE

Floats = NDArray[np.float32]

HOP = FRAME_SAMPLES // 2
USER_BANDS = 40
REFERENCE_BANDS = 20
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0
POWER_FLOOR = 1e-9
"""About -90 dBFS: below it lies nothing that a microphone would deliver."""


class Basis(NamedTuple):
    """The matrices of the transform: half windows of 200 samples to bins, bins to mel bands."""

    cosine: Floats
    sine: Floats
    user_mel: Floats
    reference_mel: Floats


def mel_filters(bands: int, bins_hz: "NDArray[np.floating]") -> Floats:
    """Triangles of unit sum on the mel scale (Slaney's areas, O'Shaughnessy's scale)."""
    edges_mel = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), bands + 2)
    edges_hz = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    rising = (bins_hz[:, None] - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    falling = (edges_hz[2:] - bins_hz[:, None]) / (edges_hz[2:] - edges_hz[1:-1])
    triangles = np.maximum(np.minimum(rising, falling), 0.0)
    return np.asarray(triangles / triangles.sum(axis=0), np.float32)


def _mel(frequency_hz: float) -> float:
    return 2595.0 * float(np.log10(1.0 + frequency_hz / 700.0))


def basis() -> Basis:
    """Builds the matrices; the Hann window and the power's scale are folded in."""
    half = np.arange(HOP) + 0.5
    window = np.cos(np.pi * half / FRAME_SAMPLES) ** 2
    bins = np.arange(1, FRAME_SAMPLES // 2)
    bins_hz = bins * (SAMPLE_RATE / FRAME_SAMPLES)
    angle = 2.0 * np.pi * np.outer(half, bins) / FRAME_SAMPLES
    scaled = (window / np.sqrt(2.0 * np.sum(window**2)))[:, None]
    return Basis(
        (np.cos(angle) * scaled).astype(np.float32),
        (np.sin(angle) * scaled).astype(np.float32),
        mel_filters(USER_BANDS, bins_hz),
        mel_filters(REFERENCE_BANDS, bins_hz),
    )


BASIS = basis()


def _power(earlier: Floats, later: Floats) -> Floats:
    mirrored = earlier[:, ::-1]
    even = (later + mirrored) @ BASIS.cosine
    odd = (later - mirrored) @ BASIS.sine
    return np.asarray(even * even + odd * odd, np.float32)


def user_features(audio: Floats) -> Floats:
    """Log10 mel power of the user, shape (frames, 80): two spectra of 40 bands per 25 ms frame.

    `audio` has a whole number of frames; before its first sample there was silence.
    """
    blocks = audio.reshape(-1, HOP)
    before = np.concatenate([np.zeros((1, HOP), np.float32), blocks[:-1]])
    mel = _power(before, blocks) @ BASIS.user_mel
    return np.asarray(np.log10(mel + POWER_FLOOR), np.float32).reshape(-1, 2 * USER_BANDS)


def reference_features(audio: Floats) -> Floats:
    """Log10 mel power of the reference, shape (frames, 20)."""
    blocks = audio.reshape(-1, 2, HOP)
    mel = _power(blocks[:, 0], blocks[:, 1]) @ BASIS.reference_mel
    return np.asarray(np.log10(mel + POWER_FLOOR), np.float32)
