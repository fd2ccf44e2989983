"""The games whose voices are gathered: where each is from, how its list and sounds are read.

A game's list says which of its recordings are used and as what: one row a file, with its class, the
acknowledgement in it (`said`, of backchannels) and its words, as far as anybody could read them.
A recogniser (Whisper's smallest) wrote the words down where the game has no texts, and the lists
were gone through; what could be either an acknowledgement or a turn is not on them.
"""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path

import numpy as np
import soxr

from bargein_model.contract import SAMPLE_RATE
from bargein_model.recordings import Floats, Recording, recorded

LISTS = Path(__file__).parent
SHORT_WORDS = 3
"""A turn of at most so many words is a short one."""
DRASCULA_RATE = 11_025
DRASCULA_EDGE = 96
"""So many bytes at either end may be no sound; ScummVM skips some, too."""


class MissingError(FileNotFoundError):
    """A folder of sounds in which one that is on the list is missing."""


def drascula_sound(path: Path) -> Floats:
    """Of Drascula's speech files, mono at 16 kHz: unsigned bytes at 11 025 Hz, without a header.

    A few hold one nevertheless, without its first four bytes ("RIFF"), one of them twice, and
    after the sound what else a WAV file may have. That is silenced: it would be a loud click, from
    which the onset would be counted.
    """
    content = np.fromfile(path, np.uint8)
    head, tail = content[:DRASCULA_EDGE].tobytes(), content[-DRASCULA_EDGE:].tobytes()
    if head[4:8] == b"WAVE":
        content[: head.rfind(b"data") + 8] = 128
    if chunk := re.search(b"\0?(fact|LIST)", tail):
        content[chunk.start() - len(tail) :] = 128
    samples = content.astype(np.float32) / 128 - 1
    return np.asarray(soxr.resample(samples, DRASCULA_RATE, SAMPLE_RATE), np.float32)


def drascula_speaker(file: str) -> str:
    """Who speaks: the letters that a file's name begins with; the hero's begin with a number."""
    return "".join(takewhile(str.isalpha, file)) or "hero"


def zeroad_speaker(file: str) -> str:
    """Who speaks: one woman and one man a language."""
    language, _, name = file.split("/")
    return f"{language}-{name.split('_')[1]}"


@dataclass(frozen=True)
class Game:
    """A game, as `gather` knows it."""

    title: str
    """The `source` of its clips."""
    key: str
    """What it is called on the command line, and its list (`key.csv`)."""
    licence: str
    package: str
    """Of Debian …"""
    megabytes: int
    """… and how large that is to fetch."""
    sounds: str
    """The folder in the package that the list's files lie in."""
    archive: str = ""
    """Where they lie in a zip file instead: its path, and `sounds` is a folder in it."""
    speaker: Callable[[str], str] = lambda _: "cast"
    """Who speaks in a file; of a cast nobody knows."""
    language: Callable[[str], str] = lambda _: "en"
    read: Callable[[Path], Floats] = recorded
    bandwidth_hz: int = SAMPLE_RATE // 2

    def rows(self) -> list[dict[str, str]]:
        """Its list."""
        with (LISTS / f"{self.key}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def recordings(self, sounds: Path) -> Iterator[Recording]:
        """Those on its list.

        Args:
            sounds: the folder that the list's files lie in.

        Raises:
            MissingError: one of them is not there, so this is not that folder.
        """
        for row in self.rows():
            path = sounds / row["file"]
            if not path.is_file():
                folder = f"{self.archive or self.package}: {self.sounds}"
                raise MissingError(f"{path} is missing; {self.title}'s sounds lie in {folder}")
            yield self._recording(row, path)

    def _recording(self, row: dict[str, str], path: Path) -> Recording:
        kind, text = row["class"], row["text"]
        turn = "acted_short" if len(text.split()) <= SHORT_WORDS else "acted_line"
        return Recording(
            source=self.title,
            voice=self.speaker(row["file"]),
            language=self.language(row["file"]),
            kind=kind,
            subclass=row["said"] if kind == "backchannel" else turn,
            text=text,
            audio=partial(self.read, path),
            licence=self.licence,
            bandwidth_hz=self.bandwidth_hz,
        )


MEGAGLEST = Game(
    title="MegaGlest",
    key="megaglest",
    licence="CC BY-SA 3.0",
    package="megaglest-data",
    megabytes=240,
    sounds="usr/share/games/megaglest/techs/megapack",
)
"""What units answer when they are called and ordered: people who acknowledge.

The developers' families, friends and neighbours spoke them. Answers to an order ("yes, sir",
"okay") are backchannels, questions at a call ("what do you want?") take the floor.
"""
DRASCULA = Game(
    title="Drascula",
    key="drascula",
    licence="freeware game data, free redistribution with notice",
    package="drascula",
    megabytes=26,
    sounds="usr/share/scummvm/drascula/en",
    speaker=drascula_speaker,
    read=drascula_sound,
    bandwidth_hz=DRASCULA_RATE // 2,
)
"""What is said in an adventure: short questions, refusals, remarks, as people interrupt."""
ZEROAD = Game(
    title="0 A.D.",
    key="zeroad",
    licence="CC BY-SA 3.0",
    package="0ad-data",
    megabytes=1380,
    sounds="audio/voice",
    archive="usr/share/games/0ad/mods/public/public.zip",
    speaker=zeroad_speaker,
    language=lambda file: file.partition("/")[0],
)
"""What units answer in four languages that nobody trains on: the development set's people."""
GAMES = (MEGAGLEST, DRASCULA, ZEROAD)
