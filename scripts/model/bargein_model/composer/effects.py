"""What microphones, rooms, codecs and networks do to sound; plain functions on float32 arrays.

Every function takes mono audio at 16 kHz in -1…1 and returns new audio of the same length unless
it says otherwise. Levels are in dB relative to full scale.
"""

import io
import math
from enum import Enum

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy import fft, signal

from bargein_model.contract import SAMPLE_RATE

Floats = NDArray[np.float32]


class Law(Enum):
    """The two companding laws of telephone networks (G.711)."""

    MU = "mulaw"
    A = "alaw"


def gain(level_db: float) -> float:
    """The factor that a level in dB stands for."""
    return float(10.0 ** (level_db / 20.0))


def active_level_db(audio: Floats) -> float:
    """The level of what sounds: RMS of the 20 ms pieces within 25 dB of the loudest."""
    pieces = audio[: len(audio) // 320 * 320].reshape(-1, 320)
    power = np.mean(pieces**2, axis=1) if len(pieces) else np.array([1e-12])
    loud = power[power >= power.max() * 10**-2.5]
    return float(10.0 * np.log10(loud.mean() + 1e-12))


def at_level(audio: Floats, level_db: float) -> Floats:
    """The same sound with this active level."""
    return audio * np.float32(gain(level_db - active_level_db(audio)))


def faster(audio: Floats, ratio: float) -> Floats:
    """Plays faster (ratio > 1) or slower: tempo, pitch and formants move; the length changes."""
    return np.asarray(soxr.resample(audio, SAMPLE_RATE * ratio, SAMPLE_RATE, "LQ"), np.float32)


def stretched(audio: Floats, ratio: float) -> Floats:
    """Changes the tempo only, by WSOLA (Verhelst and Roelands, 1993); the length changes."""
    hop, reach = 240, 120
    if len(audio) < 4 * hop:
        return audio
    window = np.hanning(2 * hop + 1)[:-1].astype(np.float32)
    padded = np.pad(audio, (reach, 3 * hop + 2 * reach))
    count = int(len(audio) / ratio / hop)
    output = np.zeros((count + 2) * hop, np.float32)
    natural = reach
    for index in range(count):
        ideal = reach + int(index * hop * ratio)
        wanted = padded[natural : natural + hop]
        around = padded[ideal - reach : ideal + reach + hop]
        start = ideal - reach + int(np.argmax(np.correlate(around, wanted, "valid")))
        output[index * hop : (index + 2) * hop] += padded[start : start + 2 * hop] * window
        natural = start + hop
    return output[: max(1, int(len(audio) / ratio))]


def reverberated(audio: Floats, response: Floats) -> Floats:
    """Heard through a room; the response's first sample is the direct sound."""
    return np.asarray(signal.oaconvolve(audio, response)[: len(audio)], np.float32)


def coloured(audio: Floats, curve_hz: Floats, curve_db: Floats) -> Floats:
    """Through a filter of linear phase whose gain is interpolated between points (Hz, dB)."""
    size = fft.next_fast_len(len(audio) + 1024, real=True)
    frequencies = np.arange(size // 2 + 1, dtype=np.float32) * (SAMPLE_RATE / size)
    response = 10.0 ** (np.interp(frequencies, curve_hz, curve_db).astype(np.float32) / 20.0)
    filtered = fft.irfft(fft.rfft(audio, size) * response, size)
    return np.asarray(filtered[: len(audio)], np.float32)


def telephone(audio: Floats, law: Law) -> Floats:
    """8 kHz, one companded byte a sample."""
    narrow = np.clip(soxr.resample(audio, SAMPLE_RATE, SAMPLE_RATE // 2, "MQ"), -1, 1)
    wide = soxr.resample(companded(narrow, law), SAMPLE_RATE // 2, SAMPLE_RATE, "MQ")
    return _fitted(np.asarray(wide, np.float32), len(audio))


def companded(audio: Floats, law: Law) -> Floats:
    """Quantises -1…1 to 256 companded steps."""
    size = np.abs(audio)
    if law is Law.MU:
        code = np.log1p(255.0 * size).astype(np.float64) / math.log(256.0)
        steps = np.round(code * 127.0) / 127.0
        expanded = np.expm1(steps * math.log(256.0)) / 255.0
    else:
        scale = 1.0 + math.log(87.6)
        code = np.where(size < 1 / 87.6, 87.6 * size, 1.0 + np.log(np.maximum(87.6 * size, 1.0)))
        steps = np.round(code.astype(np.float64) / scale * 127.0) / 127.0 * scale
        expanded = np.where(steps < 1.0, steps / 87.6, np.exp(steps - 1.0) / 87.6)
    return np.asarray(np.sign(audio) * expanded, np.float32)


def opus(audio: Floats, compression: float) -> Floats:
    """Through the real Opus codec; compression 0.9…1.0 is about 30…6 kbit/s."""
    file = io.BytesIO()
    soundfile.write(
        file, audio, SAMPLE_RATE, format="OGG", subtype="OPUS", compression_level=compression
    )
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    return _fitted(np.asarray(decoded, np.float32), len(audio))


def lost_packets(audio: Floats, rng: np.random.Generator, share: float) -> Floats:
    """20 ms pieces replaced by silence, in runs of one to four."""
    kept = np.ones(len(audio) // 320 + 1, np.float32)
    for start in np.flatnonzero(rng.random(len(kept)) < share / 2):
        kept[start : start + rng.integers(1, 5)] = 0.0
    return audio * np.repeat(kept, 320)[: len(audio)]


def gated(audio: Floats, clean: Floats, open_db: float) -> Floats:
    """Digital silence wherever the clean sound is quieter than `open_db` below its active level."""
    pieces = np.pad(clean, (0, -len(clean) % 320)).reshape(-1, 320)
    loud = np.mean(pieces**2, axis=1) > gain(active_level_db(clean) - open_db) ** 2
    held = np.convolve(loud, np.ones(6), "full")[: len(loud)] > 0
    envelope = np.repeat(held.astype(np.float32), 320)[: len(audio)]
    smooth = signal.lfilter(np.full(80, 1 / 80), [1.0], envelope)
    return np.asarray(audio * smooth, np.float32)


def faded(audio: Floats, samples: int = 80) -> Floats:
    """Short ramps at both ends against clicks."""
    ramp = np.linspace(0.0, 1.0, min(samples, len(audio) // 2), dtype=np.float32)
    result = audio.copy()
    if len(ramp):
        result[: len(ramp)] *= ramp
        result[-len(ramp) :] *= ramp[::-1]
    return result


def room_tone(samples: int, rng: np.random.Generator) -> Floats:
    """Noise with a random slope of 0 to -9 dB per octave, at 0 dB active level."""
    size = fft.next_fast_len(samples, real=True)
    slope = rng.uniform(0.0, 1.5)
    shape = (
        np.maximum(np.arange(size // 2 + 1, dtype=np.float32), size * 50 / SAMPLE_RATE) ** -slope
    )
    spectrum = shape * np.exp(2j * np.pi * rng.random(len(shape), dtype=np.float32))
    tone = fft.irfft(spectrum.astype(np.complex64), size)[:samples]
    return np.asarray(tone / np.sqrt(np.mean(tone**2) + 1e-20), np.float32)


def _fitted(audio: Floats, length: int) -> Floats:
    return np.asarray(np.pad(audio[:length], (0, max(0, length - len(audio)))), np.float32)
