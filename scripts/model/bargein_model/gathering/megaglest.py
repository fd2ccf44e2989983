"""What the units of MegaGlest answer when they are called and ordered: people who acknowledge.

The developers' families, friends and neighbours spoke them. `megaglest.csv` says which are used
and what is said in them. A recogniser wrote the words down and its list was gone through; what
could be either, or nobody could read, is not in it. Answers to an order ("yes, sir", "okay") are
backchannels, questions at a call ("what do you want?") take the floor.
"""

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bargein_model.recordings import Recording, recorded

SOURCE = "MegaGlest"
LICENCE = "CC BY-SA 3.0"
SPEAKERS = "cast"
"""Nobody knows who spoke which unit."""
LIST = Path(__file__).with_name("megaglest.csv")


def recordings(sounds: Path) -> Iterator[Recording]:
    """Those on the list.

    Args:
        sounds: the folder `techs/megapack` of the game's data.

    Raises:
        FileNotFoundError: one of them is not there, so this is not that folder.
    """
    with LIST.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        path = sounds / row["file"]
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing; --sounds is the game's techs/megapack")
        kind, text = row["class"], row["text"]
        subclass = row["said"] if kind == "backchannel" else "acted_short"
        read = partial(recorded, path)
        yield Recording(SOURCE, SPEAKERS, "en", kind, subclass, text, read, licence=LICENCE)
