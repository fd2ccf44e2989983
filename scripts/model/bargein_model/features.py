"""Log-mel features, computed the same way here (NumPy, for training) and in the ONNX graph.

A 25 ms analysis window slides by 12.5 ms, so a frame of 400 samples has two spectra of the user;
the reference needs only the second.

Hops of half a window allow a cheap exact transform: with the phase taken from the window's centre,
the cosine part of a spectrum is even around it and the sine part odd. Folding the window there
halves the multiplications of a plain DFT matrix.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bargein_model.contract import FRAME_SAMPLES, SAMPLE_RATE

Floats = NDArray[np.float32]
Wide = NDArray[np.float64]

HOP = FRAME_SAMPLES // 2
USER_BANDS = 40
REFERENCE_BANDS = 20
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0
SPEECH_BANDS = 32
SPEECH_LOWEST_HZ, SPEECH_HIGHEST_HZ = 60.0, 3800.0
POWER_FLOOR = 1e-9
"""About -90 dBFS: below it lies nothing that a microphone would deliver."""


class Basis(NamedTuple):
    """The matrices of the transform: half windows of 200 samples to bins, bins to mel bands."""

    cosine: Floats
    sine: Floats
    user_mel: Floats
    reference_mel: Floats


def user_edges_hz(bands: int) -> Wide:
    """The `bands` + 2 corners of triangles that lie evenly on O'Shaughnessy's mel scale."""
    lowest, highest = (2595.0 * float(np.log10(1.0 + hz / 700.0)) for hz in (LOWEST_HZ, HIGHEST_HZ))
    edges_mel = np.linspace(lowest, highest, bands + 2)
    return 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)


def speech_edges_hz() -> Wide:
    """The embedding's corners: Slaney's mel scale, linear below 1 kHz and logarithmic above."""
    step = float(np.log(6.4)) / 27.0
    highest = 15.0 + float(np.log(SPEECH_HIGHEST_HZ / 1000.0)) / step
    edges_mel = np.linspace(SPEECH_LOWEST_HZ * 3.0 / 200.0, highest, SPEECH_BANDS + 2)
    curved = 1000.0 * np.exp((edges_mel - 15.0) * step)
    return np.where(edges_mel < 15.0, edges_mel * 200.0 / 3.0, curved)


def mel_filters(edges_hz: Wide, bins_hz: Wide) -> Floats:
    """Triangles of unit sum between their corners, (bins, bands)."""
    rising = (bins_hz[:, None] - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    falling = (edges_hz[2:] - bins_hz[:, None]) / (edges_hz[2:] - edges_hz[1:-1])
    triangles = np.maximum(np.minimum(rising, falling), 0.0)
    return np.asarray(triangles / triangles.sum(axis=0), np.float32)


def basis() -> Basis:
    """Builds the matrices; the Hann window and the power's scale are folded in."""
    half = np.arange(HOP) + 0.5
    window = np.cos(np.pi * half / FRAME_SAMPLES) ** 2
    bins = np.arange(1, FRAME_SAMPLES // 2)
    bins_hz = (bins * (SAMPLE_RATE / FRAME_SAMPLES)).astype(np.float64)
    angle = 2.0 * np.pi * np.outer(half, bins) / FRAME_SAMPLES
    scaled = (window / np.sqrt(2.0 * np.sum(window**2)))[:, None]
    return Basis(
        (np.cos(angle) * scaled).astype(np.float32),
        (np.sin(angle) * scaled).astype(np.float32),
        mel_filters(user_edges_hz(USER_BANDS), bins_hz),
        mel_filters(user_edges_hz(REFERENCE_BANDS), bins_hz),
    )


BASIS = basis()
_SPEECH_BIN_HZ = SAMPLE_RATE / 512
SPEECH_LEVEL = 2.0 + float(np.log10(32767.0**2 * np.sum(np.hanning(401) ** 2) / _SPEECH_BIN_HZ))
"""By how much the embedding's log power exceeds ours: it reads 16-bit integers and takes triangles
of unit area, not of unit sum."""


def speech_reading() -> Floats:
    """(40, 32): what reads the user's bands as the embedding's, up to `SPEECH_LEVEL`.

    A value of the embedding's is read between the two of ours that lie around it, which gives what
    its own triangles would to a quarter of a decade or better.
    """
    ours, theirs = user_edges_hz(USER_BANDS)[1:-1], speech_edges_hz()[1:-1]
    places = np.interp(theirs, ours, np.arange(USER_BANDS))
    distances = np.abs(np.arange(USER_BANDS)[:, None] - places)
    return np.maximum(1.0 - distances, 0.0).astype(np.float32)


def _power(earlier: Floats, later: Floats) -> Floats:
    mirrored = earlier[:, ::-1]
    even = (later + mirrored) @ BASIS.cosine
    odd = (later - mirrored) @ BASIS.sine
    return np.asarray(even * even + odd * odd, np.float32)


def user_features(audio: Floats) -> Floats:
    """(frames, 80): log10 mel power of the user, two spectra of 40 bands.

    `audio` has a whole number of frames; before its first sample there was silence.
    """
    blocks = audio.reshape(-1, HOP)
    before = np.concatenate([np.zeros((1, HOP), np.float32), blocks[:-1]])
    return _log(_power(before, blocks) @ BASIS.user_mel).reshape(-1, 2 * USER_BANDS)


def reference_features(audio: Floats) -> Floats:
    """Log10 mel power of the reference, shape (frames, 20)."""
    blocks = audio.reshape(-1, 2, HOP)
    return _log(_power(blocks[:, 0], blocks[:, 1]) @ BASIS.reference_mel)


def _log(power: Floats) -> Floats:
    return np.asarray(np.log10(power + POWER_FLOOR), np.float32)
