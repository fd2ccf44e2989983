"""What is said: text files beside the code, one utterance a line, `#` begins a comment."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

FOLDER = Path(__file__).with_name("said")
TIMES = "×"
TURN = "|"


class Said(Enum):
    """The four lists; the value names the files (`en.interruptions.txt`)."""

    INTERRUPTION = "interruptions"
    """One or two words that take the floor; none opens as an acknowledgement does."""
    BACKCHANNEL = "backchannels"
    """`yeah × 9` comes round nine times as often as a line without a number."""
    SENTENCE = "sentences"
    CONTINUATION = "continuations"
    """`yeah, | but why`: what stands before the bar acknowledges, what follows takes the floor."""


@dataclass(frozen=True, slots=True)
class Line:
    """One text: what it opens with, if that acknowledges and more follows, and the rest."""

    opening: str
    rest: str

    @property
    def text(self) -> str:
        """The whole, as a person would write it."""
        return f"{self.opening} {self.rest}".strip()


def languages(said: Said) -> list[str]:
    """The languages that have such a list."""
    return sorted(path.name.split(".")[0] for path in FOLDER.glob(f"*.{said.value}.txt"))


def read(said: Said, language: str) -> list[Line]:
    """A list's lines, each as often as it is to come round."""
    text = (FOLDER / f"{language}.{said.value}.txt").read_text(encoding="utf-8")
    stripped = (line.strip() for line in text.splitlines())
    return [line for raw in stripped if raw and not raw.startswith("#") for line in _lines(raw)]


def _lines(raw: str) -> list[Line]:
    text, _, times = raw.partition(TIMES)
    opening, bar, rest = text.partition(TURN)
    line = Line(opening.strip(), rest.strip()) if bar else Line("", text.strip())
    return [line] * int(times or 1)
