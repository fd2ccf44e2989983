"""From a session's own encoding and rate to what the server hears: 16 kHz mono s16le."""

import os
from collections.abc import Callable
from typing import cast

import numpy as np
import soxr  # pyright: ignore[reportMissingTypeStubs]
from bargein_protocol.audio import AudioFormat, Encoding
from bargein_protocol.errors import ErrorCode, ProtocolError
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
UNIT = np.float32(1 / 32768)
"""One step of 16 bit audio."""

QUALITY = "LQ"
"""Of soxr's qualities the one with the least delay that still keeps aliases under −100 dB: 8 ms on
average at 8 kHz and 3 ms at 44.1 and 48 kHz, where "HQ" waits for 32 and 11 ms."""

# soxr gathers audio for an FFT of at least this many samples, as a power of two; it reads the
# setting here and nowhere else. Its default, 10, delays 8 kHz audio by 60 ms.
os.environ.setdefault("SOXR_MIN_DFT_SIZE", "8")
os.environ.setdefault("SOXR_LARGE_DFT_SIZE", "8")

Floats = NDArray[np.float32]


class AudioDecoder:
    """Decodes and resamples one track, message by message.

    However the samples are cut into messages, the same samples come out. When the rate is not
    16 kHz the output runs up to about 13 ms behind the input and `flush` gives the rest: a
    session's output is as long as its input to within a sample.
    """

    def __init__(self, audio: AudioFormat) -> None:
        resampled = audio.sample_rate != SAMPLE_RATE
        self._resampler = _Resampler(audio.sample_rate) if resampled else None
        self._as_it_is = audio.encoding == "s16le" and not resampled
        self._read = READERS[audio.encoding]

    def decode(self, payload: bytes) -> bytes:
        """The next samples as 16 kHz mono s16le; s16le at 16 kHz comes back as it is, uncopied.

        Raises:
            ProtocolError: a float that is NaN or infinite; the message has no effect.
        """
        if self._as_it_is:
            return payload
        samples = self._read(payload)
        return _to_pcm(self._resampler.resample(samples) if self._resampler else samples)

    def flush(self) -> bytes:
        """What the resampler still holds; the end of the track."""
        return _to_pcm(self._resampler.flush()) if self._resampler else b""


class _Resampler:
    """soxr on floats: on integers it would add dither, and no two runs would be the same."""

    def __init__(self, rate: int) -> None:
        self._stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality=QUALITY)

    def resample(self, samples: Floats) -> Floats:
        return cast("Floats", self._stream.resample_chunk(samples))

    def flush(self) -> Floats:
        return cast("Floats", self._stream.resample_chunk(np.zeros(0, np.float32), last=True))


def _read_s16le(payload: bytes) -> Floats:
    return np.frombuffer(payload, "<i2") * UNIT


def _read_f32le(payload: bytes) -> Floats:
    samples = np.frombuffer(payload, "<f4")
    if not np.isfinite(samples).all():
        raise ProtocolError(
            ErrorCode.INVALID_AUDIO, "a float sample is NaN or infinite; send numbers from −1 to 1"
        )
    return samples.clip(-1, 1)  # here already: what is far out of range would ring on


def _read_mulaw(payload: bytes) -> Floats:
    return MULAW[np.frombuffer(payload, np.uint8)]


def _read_alaw(payload: bytes) -> Floats:
    return ALAW[np.frombuffer(payload, np.uint8)]


def _to_pcm(samples: Floats) -> bytes:
    pcm = np.empty(samples.shape, "<i2")
    scaled = np.rint(samples / UNIT)
    np.clip(scaled, -32768, 32767, out=pcm, casting="unsafe")
    return pcm.tobytes()


def _expand_mulaw() -> Floats:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    exponent, mantissa = code >> 4 & 7, code & 15
    magnitude = ((2 * mantissa + 33) << exponent + 2) - 132
    return UNIT * np.where(code & 0x80, -magnitude, magnitude).astype(np.float32)


def _expand_alaw() -> Floats:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    linear = (2 * mantissa + 1) << 3
    segment = (2 * mantissa + 33) << np.maximum(exponent, 1) + 2
    magnitude = np.where(exponent == 0, linear, segment)
    return UNIT * np.where(code & 0x80, magnitude, -magnitude).astype(np.float32)


MULAW = _expand_mulaw()
"""G.711 µ-law: the sample of each code."""
ALAW = _expand_alaw()
"""G.711 A-law: the sample of each code."""
READERS: dict[Encoding, Callable[[bytes], Floats]] = {
    "s16le": _read_s16le,
    "f32le": _read_f32le,
    "mulaw": _read_mulaw,
    "alaw": _read_alaw,
}
"""Payload to samples from −1 to 1, by encoding."""
