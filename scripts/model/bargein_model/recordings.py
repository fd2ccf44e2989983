"""Recordings and renderings as a corpus folder: one reel a source and language, and a manifest."""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from bargein_model.composer.corpus import COLUMNS
from bargein_model.contract import SAMPLE_RATE

Floats = NDArray[np.float32]

FLOOR_DB = 35
"""Of recordings: sound is what is at most this far below the loudest 10 ms."""
GAP = SAMPLE_RATE // 20
STEP = SAMPLE_RATE // 100


@dataclass(frozen=True, slots=True)
class Recording:
    """Something that a voice says."""

    source: str
    voice: str
    language: str
    kind: str
    """speech, backchannel or vocal."""
    subclass: str
    text: str
    audio: Callable[[], Floats]
    """Reads or renders it: 16 kHz mono."""
    speaker_kind: str = "real"
    licence: str = ""
    bandwidth_hz: int = SAMPLE_RATE // 2

    @property
    def reel(self) -> str:
        """The file it goes into."""
        return f"{self.source}-{self.language}".lower().replace(" ", "_") + ".flac"


def recorded(path: Path) -> Floats:
    """A file's sound, mono at 16 kHz.

    Raises:
        soundfile.LibsndfileError: it is not there, or no sound.
    """
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(audio.mean(axis=1), rate, SAMPLE_RATE), np.float32)


def write_corpus(folder: Path, recordings: Iterable[Recording], split: str) -> Iterator[Recording]:
    """Writes a corpus of them, with a manifest as other corpora have; yields each when read.

    What is silent is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[list[str]] = []
    reels: dict[str, list[Floats]] = {}
    for one in recordings:
        audio = one.audio()
        span = sounding(audio, FLOOR_DB)
        if span is not None:
            reel = reels.setdefault(one.reel, [])
            rows.append(_row(one, sum(map(len, reel)), len(audio), span, split))
            reel += [audio, np.zeros(GAP, np.float32)]
        yield one
    for name, pieces in reels.items():
        soundfile.write(folder / name, np.concatenate(pieces), SAMPLE_RATE)
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def _row(one: Recording, start: int, length: int, span: tuple[int, int], split: str) -> list[str]:
    fields = {
        "reel": one.reel,
        "start_s": seconds(start),
        "end_s": seconds(start + length),
        "class": one.kind,
        "subclass": one.subclass,
        "text": one.text,
        "speaker_id": f"{one.source}:{one.voice}",
        "speaker_kind": one.speaker_kind,
        "source": one.source,
        "licence": one.licence,
        "language": one.language,
        "bandwidth_hz": str(one.bandwidth_hz),
        "onset_s": seconds(span[0]),
        "offset_s": seconds(span[1]),
        "split": split,
    }
    return [fields.get(column, "") for column in COLUMNS]


def power(audio: Floats) -> Floats:
    """Mean square of each whole 10 ms."""
    pieces = audio[: len(audio) // STEP * STEP].reshape(-1, STEP)
    return np.asarray(np.mean(pieces**2, axis=1), np.float32)


def sounding(audio: Floats, floor_db: float) -> tuple[int, int] | None:
    """The first sample of sound and the one after the last; None if it is silent.

    Sound is what is at most `floor_db` below the loudest 10 ms.
    """
    powers = power(audio)
    if not len(powers) or powers.max() < 1e-7:
        return None
    loud = np.flatnonzero(powers > powers.max() * 10 ** (-floor_db / 10))
    return int(loud[0]) * STEP, (int(loud[-1]) + 1) * STEP


def seconds(samples: int) -> str:
    """As manifests write a time."""
    return f"{samples / SAMPLE_RATE:.6f}"
