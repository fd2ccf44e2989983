"""A tiny corpus of buzzes and noises, with a manifest like that of a real one."""

import csv
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
COLUMNS = (
    "clip_id reel start_s end_s class subclass text speaker_id speaker_kind source licence "
    "language bandwidth_hz onset_s offset_s split cont_s note"
)
Row = dict[str, str]


def write_corpus(folder: Path, kinds: Collection[str] = ()) -> Path:
    """Writes a corpus in which each split has its own speakers and sources of every kind.

    Or of some classes only, if they are named.
    """
    folder.mkdir()
    rows = [row for split in ("train", "val") for row in _split(split)]
    rows = [row for row in rows if not kinds or row["class"] in kinds]
    _lay_out(rows)
    for reel in dict.fromkeys(row["reel"] for row in rows):
        _write_reel(folder / reel, [row for row in rows if row["reel"] == reel])
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS.split())
        writer.writerows([row[name] for name in COLUMNS.split()] for row in rows)
    return folder


def _split(split: str) -> Iterator[Row]:
    for source in ("Game", "Engine"):
        for speaker in range(2):
            who = f"{source}:{split}{speaker}"
            yield _row(split, f"{source} {split}", who, "speech", "acted_line", 1.6)
            yield _row(split, f"{source} {split}", who, "speech", "digit", 0.4, text="seven")
            yield _row(split, f"{source} {split}", who, "speech", "tts_bc_cont", 1.4, cont_s="0.5")
            yield _row(split, f"{source} {split}", who, "backchannel", "yeah", 0.5)
    for kind, subclass, length in (
        ("vocal", "cough", 0.6), ("vocal", "laugh", 0.9), ("noise", "keyboard", 6.0),
        ("noise", "rain", 6.0), ("music", "hold_music", 6.0), ("babble", "cafe", 6.0),
        ("agent", "long_answer", 5.0), ("rir", "sim_talker", 0.3), ("rir", "sim_echo_path", 0.2),
    ):  # fmt: skip
        yield _row(split, f"Sounds {split}", f"{subclass}:{split}", kind, subclass, length)


def _row(
    split: str,
    source: str,
    speaker: str,
    kind: str,
    subclass: str,
    length_s: float,
    *,
    text: str = "",
    cont_s: str = "",
) -> Row:
    return dict.fromkeys(COLUMNS.split(), "") | {
        "clip_id": f"{speaker}-{subclass}",
        "reel": f"{kind}_{split}.flac",
        "end_s": str(length_s),
        "class": kind,
        "subclass": subclass,
        "text": text,
        "speaker_id": speaker,
        "speaker_kind": "real",
        "source": source,
        "language": "en",
        "bandwidth_hz": "8000",
        "onset_s": "0.05" if kind != "rir" else "0",
        "offset_s": str(length_s - 0.05),
        "split": split,
        "cont_s": cont_s,
    }


def _lay_out(rows: list[Row]) -> None:
    """Puts the clips of a reel one after the other, 60 ms apart."""
    ends: dict[str, float] = {}
    for row in rows:
        start = ends.get(row["reel"], 0.0)
        row["start_s"], row["end_s"] = str(start), str(start + float(row["end_s"]))
        ends[row["reel"]] = float(row["end_s"]) + 0.06


def _write_reel(path: Path, rows: list[Row]) -> None:
    rng = np.random.default_rng(len(path.name))
    audio = np.zeros(round(float(rows[-1]["end_s"]) * RATE), np.float32)
    for row in rows:
        start, end = (round(float(row[name]) * RATE) for name in ("start_s", "end_s"))
        audio[start:end] = _sound(row, end - start, rng)
    soundfile.write(path, audio, RATE)


def _sound(row: Row, length: int, rng: np.random.Generator) -> np.ndarray:
    time = np.arange(length) / RATE
    if row["class"] == "rir":
        return np.exp(-time * 40) * np.where(time == 0, 0.9, 0.05 * rng.standard_normal(length))
    if row["class"] in {"noise", "babble"}:
        return 0.1 * rng.standard_normal(length)
    pitch = rng.uniform(90, 220)
    return 0.2 * np.sign(np.sin(2 * np.pi * pitch * time)) * (np.sin(2 * np.pi * 3 * time) > -0.5)
