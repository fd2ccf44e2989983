"""Who says what, and how: the same for a seed, and balanced wherever one stops."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, cycle
from typing import TypeVar

import numpy as np

from bargein_model.speaking.lists import Line, Said, languages, read

Random = np.random.Generator
Thing = TypeVar("Thing")

ORDER = tuple(
    {"i": Said.INTERRUPTION, "b": Said.BACKCHANNEL, "s": Said.SENTENCE, "c": Said.CONTINUATION}[k]
    for k in "ibibsibibcibibsibibibics"
)
"""Of 24 utterances ten are short interruptions and nine backchannels."""
ENGLISH_SHARE = 0.65
BLENDED_SHARE = 0.85
"""How many speak with the sound, and how many with the melody, of another voice to a part …"""
MOST_BLENDED = 0.5
"""… of at most this."""
SPEEDS = {
    Said.INTERRUPTION: (1.1, 1.7),
    Said.BACKCHANNEL: (1.1, 1.7),
    Said.SENTENCE: (0.9, 1.5),
    Said.CONTINUATION: (0.9, 1.5),
}
"""The same for short interruptions as for backchannels, so that haste tells nothing."""
PITCH_OCTAVES = 1 / 12
"""A semitone up or down."""
ENDINGS = (".", ".", ",", "!", "?", "")
"""What a text ends with gives it another melody."""


@dataclass(frozen=True, slots=True)
class Share:
    """Of another voice."""

    other: str
    part: float


@dataclass(frozen=True, slots=True)
class Blend:
    """A voice with shares of others, which makes of a few voices many."""

    voice: str
    sound: Share
    """What the throat is like …"""
    melody: Share
    """… and how it rises, falls and hurries."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One rendering to be made."""

    number: int
    said: Said
    line: Line
    language: str
    voice: Blend
    ending: str
    speed: float
    pitch: float


def plan(
    voices: Mapping[str, Sequence[str]], lending: Sequence[str], seed: int
) -> Iterator[Utterance]:
    """Utterances without end; every list is gone through before a text comes again.

    `voices` are those that may speak, by language, of which one must be English; `lending` are
    those of which they may have shares.
    """
    rng = np.random.default_rng(seed)
    lines = {
        (said, language): _rounds(read(said, language), rng)
        for said in Said
        for language in languages(said)
        if language in voices
    }
    turns = {language: _rounds(names, rng) for language, names in voices.items()}
    lent = _rounds(sorted(lending), rng)
    for number, said in zip(count(), cycle(ORDER), strict=False):
        language = _language([of for kind, of in lines if kind is said], rng)
        yield Utterance(
            number=number,
            said=said,
            line=next(lines[said, language]),
            language=language,
            voice=Blend(next(turns[language]), _share(lent, rng), _share(lent, rng)),
            ending=str(rng.choice(ENDINGS)),
            speed=float(rng.uniform(*SPEEDS[said])),
            pitch=float(2 ** rng.uniform(-PITCH_OCTAVES, PITCH_OCTAVES)),
        )


def _share(lent: Iterator[str], rng: Random) -> Share:
    blended = rng.random() < BLENDED_SHARE
    return Share(next(lent), float(rng.uniform(0.1, MOST_BLENDED)) if blended else 0.0)


def _language(possible: list[str], rng: Random) -> str:
    others = [language for language in possible if language != "en"]
    if not others or rng.random() < ENGLISH_SHARE:
        return "en"
    return others[int(rng.integers(len(others)))]


def _rounds(things: Sequence[Thing], rng: Random) -> Iterator[Thing]:
    """All of them in some order, then all in another, and so on."""
    while True:
        for place in rng.permutation(len(things)):
            yield things[int(place)]
