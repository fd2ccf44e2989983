"""Telephone audio from the samples: what a caller's platform would send."""

import io
import wave
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr

SAMPLES = Path(__file__).parents[2] / "scripts" / "samples"


def track(sample: str, name: str, sample_rate: int) -> bytes:
    """One track of a recorded session ("user", "agent"), resampled: mono s16le."""
    with wave.open(str(SAMPLES / f"{sample}.bargein" / f"{name}.wav")) as recording:
        pcm = np.frombuffer(recording.readframes(recording.getnframes()), "<i2")
        resampled = soxr.resample(pcm, recording.getframerate(), sample_rate)
    return bytes(resampled.astype("<i2").tobytes())


def mulaw(pcm: bytes) -> bytes:
    """The same in G.711 µ-law, by libsndfile."""
    file = io.BytesIO()
    sf.write(file, np.frombuffer(pcm, "<i2"), 8000, format="RAW", subtype="ULAW")
    return file.getvalue()


def frames(audio: bytes, length: int) -> list[bytes]:
    """Cut into frames of `length` bytes; a short rest is left out."""
    return [audio[at : at + length] for at in range(0, len(audio) - length + 1, length)]
