"""Who says what, and how: the same for a seed, and balanced wherever one stops."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle
from typing import Generic, TypeVar

import numpy as np

from bargein_model.speaking.engine import AnyVoice
from bargein_model.speaking.lists import Line, Said, languages, read

Random = np.random.Generator
Thing = TypeVar("Thing")

ORDER = tuple(
    {"i": Said.INTERRUPTION, "b": Said.BACKCHANNEL, "s": Said.SENTENCE, "c": Said.CONTINUATION}[k]
    for k in "ibibsibibcibibsibibibics"
)
"""Of 24 utterances ten are short interruptions and nine backchannels."""
ENGLISH_SHARE = 0.65
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


@dataclass(frozen=True)
class Utterance(Generic[AnyVoice]):
    """One rendering to be made."""

    number: int
    said: Said
    line: Line
    language: str
    voice: AnyVoice
    ending: str
    speed: float
    pitch: float


def plan(
    spoken: Collection[str], casting: Callable[[Random], Callable[[str], AnyVoice]], seed: int
) -> Iterator[Utterance[AnyVoice]]:
    """Utterances without end; every list is gone through before a text comes again.

    `spoken` are the languages that somebody speaks, English among them; `casting`, given chance,
    says who speaks next in a language.
    """
    rng = np.random.default_rng(seed)
    lines = {
        (said, language): rounds(read(said, language), rng)
        for said in Said
        for language in languages(said)
        if language in spoken
    }
    next_in = casting(rng)
    for number, said in zip(count(), cycle(ORDER), strict=False):
        language = _language([of for kind, of in lines if kind is said], rng)
        yield Utterance(
            number=number,
            said=said,
            line=next(lines[said, language]),
            language=language,
            voice=next_in(language),
            ending=str(rng.choice(ENDINGS)),
            speed=float(rng.uniform(*SPEEDS[said])),
            pitch=float(2 ** rng.uniform(-PITCH_OCTAVES, PITCH_OCTAVES)),
        )


def _language(possible: list[str], rng: Random) -> str:
    others = [language for language in possible if language != "en"]
    if not others or rng.random() < ENGLISH_SHARE:
        return "en"
    return others[int(rng.integers(len(others)))]


def rounds(things: Sequence[Thing], rng: Random) -> Iterator[Thing]:
    """All of them in some order, then all in another, and so on."""
    while True:
        for place in rng.permutation(len(things)):
            yield things[int(place)]
