"""The corpus folder that grows: reels of a fixed number of utterances, and the manifest."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from bargein_model.composer.corpus import COLUMNS
from bargein_model.contract import SAMPLE_RATE
from bargein_model.speaking.clips import GAP, Clip, resampled, row, trimmed
from bargein_model.speaking.engine import AnyVoice, Engine, Make
from bargein_model.speaking.plan import Utterance

PER_REEL = 96
MANIFEST = "manifest.csv"


def render(engine: Engine[AnyVoice], utterance: Utterance[AnyVoice]) -> Clip | None:
    """Says it; None if the voice all but failed to."""
    line, rest = utterance.line, utterance.line.rest + utterance.ending
    parts = [line.opening, rest] if line.opening else [rest]
    speed = utterance.speed / utterance.pitch  # the change of pitch changes the tempo as well
    said = engine.say(utterance.voice, parts, utterance.language, speed)
    rate = said.rate * utterance.pitch
    turn = round(said.begins[-1] * SAMPLE_RATE / rate) if line.opening else None
    return trimmed(resampled(said.audio, rate), turn)


def speak_into(
    folder: Path, engine: Engine[AnyVoice], planned: Iterator[Utterance[AnyVoice]], count: int
) -> Iterator[int]:
    """Writes whole reels until `count` utterances are done; yields how many are, as it goes.

    What an earlier run of the same plan has written is kept, and passed over. The folder may be
    read at any time; only whole reels are in its manifest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = _read(folder / MANIFEST)
    written = {entry["reel"] for entry in rows}
    for first in range(0, count, PER_REEL):
        batch = list(islice(planned, PER_REEL))
        reel = folder / f"spoken_{first // PER_REEL:03d}.flac"
        if reel.name not in written:
            clips: list[tuple[Utterance[AnyVoice], Clip]] = []
            for done, utterance in enumerate(batch):
                clip = render(engine, utterance)
                clips += [] if clip is None else [(utterance, clip)]
                yield first + done
            rows += _write_reel(reel, engine.make, clips)
            _write(folder / MANIFEST, rows)
        yield first + len(batch)


def _write_reel(
    path: Path, make: Make, clips: Sequence[tuple[Utterance[AnyVoice], Clip]]
) -> list[dict[str, str]]:
    silence = np.zeros(GAP, np.float32)
    pieces: list[NDArray[np.float32]] = [silence]
    rows: list[dict[str, str]] = []
    for utterance, clip in clips:
        rows.append(row(utterance, make, clip, path.name, sum(map(len, pieces))))
        pieces += [clip.audio, silence]
    soundfile.write(path, np.concatenate(pieces), SAMPLE_RATE)
    return rows


def _read(manifest: Path) -> list[dict[str, str]]:
    if not manifest.exists():
        return []
    with manifest.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(manifest: Path, rows: Iterable[dict[str, str]]) -> None:
    half = manifest.with_suffix(".part")
    with half.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    half.replace(manifest)
