"""Recordings that open with an acknowledgement, though their manifest has no words.

Taught as interruptions from the first moment on, they would say that "well," and "okay," interrupt.
A recogniser (Whisper's smallest) found them in the games' lines; the moments lie in the pauses.
"""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

LIST = Path(__file__).with_suffix(".csv")


class Opening(NamedTuple):
    """Of a recording."""

    words: str
    end_s: float
    """Where they end, from the recording's start."""
    content_s: float | None
    """Where more begins; None if nothing more is said."""
    paused: bool
    """Whether there is silence in between, so that the words can be heard without the rest."""


@cache
def openings() -> Mapping[str, Opening]:
    """By the recording's `clip_id`."""
    with LIST.open(encoding="utf-8", newline="") as file:
        return {row["clip_id"]: _opening(row) for row in csv.DictReader(file)}


def _opening(row: Mapping[str, str]) -> Opening:
    content = row["content_s"]
    return Opening(
        words=row["words"],
        end_s=float(row["end_s"]),
        content_s=float(content) if content else None,
        paused=row["paused"] == "yes",
    )
