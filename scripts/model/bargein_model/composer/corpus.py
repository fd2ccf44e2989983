"""Reads corpora: a `manifest.csv` and reels of audio, decoded once into memory-mapped arrays."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from glob import escape
from hashlib import blake2b
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from bargein_model.composer.openings import Opening, openings
from bargein_model.contract import SAMPLE_RATE

Floats = NDArray[np.float32]

DEVELOPMENT_SPEAKERS = frozenset({"piper:joe"})
DEVELOPMENT_SOURCES = frozenset({"Unknown Horizons", "0 A.D."})
DEVELOPMENT_ONE_IN = 14
POOLED = ("pool", "cast")
COLUMNS = (
    *("clip_id", "reel", "start_s", "end_s", "class", "subclass", "text", "speaker_id"),
    *("speaker_kind", "source", "licence", "language", "bandwidth_hz", "onset_s", "offset_s"),
    *("split", "cont_s", "note"),
)
"""Of a manifest, in the order in which we write them."""


class Role(Enum):
    """What a clip may be used for; no speaker or source id has two roles."""

    TRAINING = "training"
    DEVELOPMENT = "development"
    """Chooses checkpoints and the threshold; never trained on."""
    REPORTED = "reported"
    """The manifest's `val` split: only ever reported."""
    LEFT_OUT = "left-out"
    """A source that this training run does without, to be examined on."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One row of a manifest; times in samples at 16 kHz, onset and later relative to the clip."""

    reel: Path
    start: int
    end: int
    kind: str
    """speech, backchannel, vocal, noise, music, babble, agent or rir."""
    subclass: str
    text: str
    speaker: str
    speaker_kind: str
    source: str
    language: str
    bandwidth_hz: int
    onset: int
    offset: int
    continuation: int | None
    """Where the content begins in speech that opens with a backchannel word."""
    notes: frozenset[str]
    role: Role


def role_of(row: dict[str, str], left_out: frozenset[str]) -> Role:
    """Decides by speaker and source only, so that what is learnt is never who is speaking."""
    if row["source"] in left_out:
        return Role.LEFT_OUT
    if row["split"] != "train":
        return Role.REPORTED
    speaker = row["speaker_id"]
    if speaker in DEVELOPMENT_SPEAKERS or row["source"] in DEVELOPMENT_SOURCES:
        return Role.DEVELOPMENT
    if row["class"] == "agent" or any(word in speaker for word in POOLED):
        return Role.TRAINING
    digest = blake2b(speaker.encode(), digest_size=4).digest()
    chosen = int.from_bytes(digest) % DEVELOPMENT_ONE_IN == 0
    return Role.DEVELOPMENT if chosen else Role.TRAINING


class UnknownSourceError(ValueError):
    """A source that no clip is of."""


class LackingError(ValueError):
    """The corpora do not have all that is needed."""


def check_sources(left_out: Iterable[str], known: Iterable[str]) -> None:
    """See that there is something to leave out.

    Raises:
        UnknownSourceError: a source is misspelt, or not in these corpora.
    """
    there = sorted(set(known))
    for source in left_out:
        if source not in there:
            raise UnknownSourceError(f"no clip is of {source!r}; there are: {'; '.join(there)}")


class Corpus:
    """All clips of one or more corpus folders."""

    def __init__(
        self, roots: Sequence[Path], cache: Path, left_out: frozenset[str] = frozenset()
    ) -> None:
        self.cache = cache
        self.reels: set[Path] = set()
        self.clips = [clip for root in roots for clip in self._read(root, left_out)]

    def _read(self, root: Path, left_out: frozenset[str]) -> Iterator[Clip]:
        with (root / "manifest.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.reels.update(root / row["reel"] for row in rows)
        for row in rows:
            clip = self._clip(root, row, role_of(row, left_out))
            opening = openings().get(row.get("clip_id", ""))
            yield from [clip] if opening is None else _opened(clip, opening)

    def _clip(self, root: Path, row: dict[str, str], role: Role) -> Clip:
        reel, start = root / row["reel"], _samples(row["start_s"])
        end = _samples(row["end_s"])
        return Clip(
            reel=reel,
            start=start,
            end=end,
            kind=row["class"],
            subclass=row["subclass"],
            text=row["text"],
            speaker=row["speaker_id"],
            speaker_kind=row["speaker_kind"],
            source=row["source"],
            language=row["language"],
            bandwidth_hz=int(float(row["bandwidth_hz"] or 8000)),
            onset=_samples(row["onset_s"] or "0"),
            offset=_samples(row["offset_s"]) if row["offset_s"] else end - start,
            continuation=_samples(row["cont_s"]) if row["cont_s"] else None,
            notes=frozenset(row["note"].replace(";", " ").split()),
            role=role,
        )

    def pool(self, kind: str, role: Role) -> list[Clip]:
        """The clips of one kind in one role."""
        return [clip for clip in self.clips if clip.kind == kind and clip.role is role]

    def decode(self, reels: Iterable[Path]) -> Iterator[Path]:
        """Decodes reels that are not in the cache yet; yields each when it is there."""
        self.cache.mkdir(parents=True, exist_ok=True)
        for reel in reels:
            target = self._cached(reel)
            if not target.exists():
                audio, rate = soundfile.read(reel, dtype="float32", always_2d=True)
                mono = soxr.resample(audio.mean(axis=1), rate, SAMPLE_RATE)
                half = target.with_suffix(".part")
                with half.open("wb") as file:
                    np.save(file, np.round(np.clip(mono, -1, 1) * 32767).astype(np.int16))
                half.rename(target)
                self._forget_others(target)
            yield reel

    def _cached(self, reel: Path) -> Path:
        """Where it is decoded as it is now: a folder may be gathered or recorded again."""
        path, now = reel.resolve(), reel.stat()
        where = blake2b(str(path).encode(), digest_size=6).hexdigest()
        return self.cache / f"{reel.stem}-{where}-{now.st_size:x}-{now.st_mtime_ns:x}.npy"

    def _forget_others(self, kept: Path) -> None:
        """Removes what the same reel was before."""
        name, _, _ = kept.name.rsplit("-", 2)
        for path in self.cache.glob(f"{escape(name)}-*-*.npy"):
            if path != kept:
                path.unlink(missing_ok=True)

    def reel(self, reel: Path) -> NDArray[np.int16]:
        """A decoded reel, memory-mapped."""
        return _mapped(self._cached(reel))

    def audio(self, clip: Clip, begin: int = 0, end: int | None = None) -> Floats:
        """The clip or a part of it, float32 in -1…1; samples count from the clip's start."""
        length = clip.end - clip.start
        begin, end = min(begin, length), length if end is None else min(end, length)
        piece = self.reel(clip.reel)[clip.start + begin : clip.start + end]
        return piece.astype(np.float32) / np.float32(32768)


def _opened(clip: Clip, opening: Opening) -> Iterator[Clip]:
    """What acknowledges, if it can be heard alone; and the whole, if more is said."""
    acknowledges = replace(
        clip, kind="backchannel", subclass=opening.words, text=opening.words, continuation=None
    )
    if opening.content_s is None:
        yield acknowledges
        return
    end = _samples(opening.end_s)
    if opening.paused:
        yield replace(acknowledges, end=clip.start + end, offset=end)
    yield replace(clip, continuation=_samples(opening.content_s))


def _samples(seconds: str | float) -> int:
    return round(float(seconds) * SAMPLE_RATE)


@lru_cache(maxsize=512)
def _mapped(path: Path) -> NDArray[np.int16]:
    array: NDArray[np.int16] = np.load(path, mmap_mode="r")
    return array
