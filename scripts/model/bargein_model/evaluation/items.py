"""One item of the exam: an overlap of which everything is known."""

from dataclasses import dataclass
from enum import Enum

from bargein_model.contract import SAMPLE_RATE


class Group(Enum):
    """What the user's sound is: its name in tables, and its share in the headline figures.

    Interruptions are weighted as real overlaps are spread (ICSI meetings, see the corpus README:
    24 % of interruptions are one or two words, 17 % open like a backchannel). The kinds of
    non-interruption count the same. Each side sums to 1.
    """

    LONG = ("interruption: 3 words or more", True, 0.59)
    SHORT = ("interruption: 1–2 words", True, 0.24)
    CONTINUED = ("interruption: “yeah, but …”", True, 0.17)
    BACKCHANNEL = ("backchannel", False, 1 / 6)
    VOCAL = ("cough, laugh, sneeze …", False, 1 / 6)
    NOISE = ("keyboard, knocks, street …", False, 1 / 6)
    MUSIC = ("music", False, 1 / 6)
    BABBLE = ("babble", False, 1 / 6)
    ECHO = ("echo of the agent", False, 1 / 6)

    def __init__(self, title: str, interrupts: bool, weight: float) -> None:
        self.title = title
        self.interrupts = interrupts
        self.weight = weight


INTERRUPTIONS = tuple(group for group in Group if group.interrupts)
OTHERS = tuple(group for group in Group if not group.interrupts)


class Condition(Enum):
    """How the sound reaches the microphone and the server: its name in tables."""

    MIXED = "mixed"
    """Random room, level, background at 5–30 dB SNR, codec; the headline."""
    CLEAN = "clean"
    """Close to the microphone, faint room tone, no codec."""
    TELEPHONE = "telephone"
    """As clean, through 8 kHz µ-law."""
    NOISY = "10 dB SNR"
    """As clean, over noise, babble or music at 10 dB."""
    LATE = "10 dB SNR, later on"
    """The same, but the sound comes after 4 to 10 s of it, which may have opened the overlap."""
    LEVELS = "level changes"
    """Very quiet, clipped, or stepping by 12 to 18 dB in the middle."""
    ECHO_REFERENCE = "echo, with reference"
    """The agent's voice leaks into the microphone all along; its audio is on the second track."""
    ECHO_DELAYED = "echo, 150–230 ms later"
    """The same, but the echo comes back over a network."""
    ECHO_RESUMED = "echo, after a pause"
    """As with the reference, but the agent makes a pause and goes on as the sound begins or just
    before; in an echo item it is what begins again."""
    ECHO = "echo, no reference"
    """The agent's voice leaks in without a second track."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of an item. Positions are samples at 16 kHz from the item's beginning."""

    name: str
    group: Group
    condition: Condition
    kind: str
    """Finer than the group: “laugh”, “keyboard” …"""
    language: str
    """Of the words, if there are any; else empty."""
    source: str
    speaker: str
    """Whom the sound comes from, the unit of the bootstrap."""
    onset: int
    content: int
    """Where the content of an interruption begins: the onset, but for “yeah, but …”."""
    end: int
    """Where the sound ends."""
    clip: str = ""
    """Which recording sounds; few are used often. Empty: one that no other item has."""

    @property
    def sounding_ms(self) -> float:
        """How long the content sounds."""
        return (self.end - self.content) * 1000 / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Item:
    """An item as a server hears it: 16 kHz mono s16le; the agent speaks from beginning to end."""

    facts: Facts
    audio: bytes
    reference: bytes | None
    """What the loudspeaker plays, as long as `audio`; None without a second track."""
