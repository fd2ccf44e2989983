"""Phonetic knowledge of a larger model: what Whisper's encoder hears, 50 times a second.

The encoder of Whisper-tiny (MIT) runs once over the clean reels of people's sounds. Its features
are reduced to a few components, which the network's trunk learns to predict while it learns its own
task; the head that does so is dropped at export.
"""

from collections.abc import Iterator
from pathlib import Path

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from bargein_model.composer.corpus import Corpus, Role

Floats = NDArray[np.float32]

COMPONENTS = 48
TICK_SAMPLES = 320
WINDOW_S = 30
WINDOW_TICKS = 1500
LEARNT = frozenset({Role.TRAINING, Role.DEVELOPMENT})
TAUGHT = frozenset({"speech", "backchannel", "vocal"})
_MEL_BREAK_HZ, _MEL_PER_HZ, _LOG_STEP = 1000.0, 3.0 / 200.0, np.log(6.4) / 27.0


class Teacher:
    """Components per tick of the corpus' time line; ticks that were never heard are NaN."""

    def __init__(self, path: Path) -> None:
        self._table: NDArray[np.float16] = np.load(path, mmap_mode="r")

    def targets(self, ticks: NDArray[np.int32]) -> Floats:
        """(…, 48) for ticks of any shape; where the tick is negative or unheard, NaN."""
        found: Floats = self._table[np.maximum(ticks, 0)].astype(np.float32)
        found[ticks < 0] = np.nan
        return found


def listen(corpus: Corpus, model: Path, path: Path) -> Iterator[float]:
    """Runs the encoder over every taught reel, writes the table; yields the share done."""
    encoder = ctranslate2.models.Whisper(str(model), intra_threads=1)
    reels = sorted(
        {clip.reel for clip in corpus.clips if clip.kind in TAUGHT and clip.role in LEARNT}
    )
    raw = path.parent / "teacher"
    raw.mkdir(parents=True, exist_ok=True)
    for index, reel in enumerate(reels):
        part = raw / f"{reel.stem}.npy"
        if not part.exists():
            np.save(part, _encode(encoder, corpus.reel(reel)))
        yield (index + 1) / len(reels)
    _reduce([raw / f"{reel.stem}.npy" for reel in reels], reels, corpus, path)


def _reduce(parts: list[Path], reels: list[Path], corpus: Corpus, path: Path) -> None:
    """Writes the table: components of what the encoder says beyond where in its window it says it.

    The strongest directions of the encoder's output tell the position within the 30 s window,
    which no listener could know; the mean at each position takes them out.
    """
    features = [np.load(part, mmap_mode="r") for part in parts]
    total, count = np.zeros((WINDOW_TICKS, features[0].shape[1])), np.zeros((WINDOW_TICKS, 1))
    for part in features:
        for start in range(0, len(part), WINDOW_TICKS):
            window = part[start : start + WINDOW_TICKS]
            total[: len(window)] += window
            count[: len(window)] += 1
    means = (total / np.maximum(count, 1)).astype(np.float32)
    projection = _projection(np.concatenate([_centred(part, means)[::20] for part in features]))
    table = np.full((corpus.total_ticks, COMPONENTS), np.nan, np.float16)
    for reel, part in zip(reels, features, strict=True):
        first = corpus.reel_ticks[reel]
        length = min(len(part), corpus.total_ticks - first)
        table[first : first + length] = _centred(part, means)[:length] @ projection
    np.save(path, table)


def _centred(part: NDArray[np.float16], means: Floats) -> Floats:
    places = np.arange(len(part)) % WINDOW_TICKS
    return np.asarray(part.astype(np.float32) - means[places], np.float32)


def _projection(sample: Floats) -> Floats:
    """Onto the principal components, half way to equal variances, of mean square one."""
    values, vectors = np.linalg.eigh(np.cov(sample, rowvar=False))
    keep = np.argsort(values)[::-1][:COMPONENTS]
    scale = values[keep] ** -0.25
    mean_square = np.mean(values[keep] * scale**2)
    return np.asarray(vectors[:, keep] * scale / np.sqrt(mean_square), np.float32)


def _encode(encoder: "ctranslate2.models.Whisper", reel: NDArray[np.int16]) -> NDArray[np.float16]:
    length = WINDOW_S * 16_000
    parts: list[NDArray[np.float16]] = []
    for start in range(0, len(reel), length):
        audio = reel[start : start + length].astype(np.float32) / 32768.0
        view = ctranslate2.StorageView.from_array(whisper_features(audio))
        encoded = np.array(encoder.encode(view))[0]
        parts.append(encoded.astype(np.float16))
    return np.concatenate(parts)[: len(reel) // TICK_SAMPLES + 1]


def whisper_features(audio: Floats) -> Floats:
    """Whisper's input, (1, 80, 3000), for up to 30 s of audio."""
    padded = np.pad(audio, (200, WINDOW_S * 16_000 - len(audio) + 200))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 400)[::160][:3000]
    window = np.hanning(401)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    mel = np.log10(np.maximum(power @ _slaney_filters(), 1e-10))
    limited = np.maximum(mel, mel.max() - 8.0)
    return np.ascontiguousarray(((limited + 4.0) / 4.0).T[None], dtype=np.float32)


def _slaney_filters() -> Floats:
    edges = _slaney_hz(np.linspace(0.0, _slaney_mel(8000.0), 82))
    bins = np.fft.rfftfreq(400, 1 / 16_000)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (edges[2:] - edges[:-2]))).astype(np.float32)


def _slaney_mel(hz: float) -> float:
    return float(_MEL_BREAK_HZ * _MEL_PER_HZ + np.log(hz / _MEL_BREAK_HZ) / _LOG_STEP)


def _slaney_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mel / _MEL_PER_HZ
    above = mel - _MEL_BREAK_HZ * _MEL_PER_HZ
    return np.where(above < 0, linear, _MEL_BREAK_HZ * np.exp(_LOG_STEP * above))
