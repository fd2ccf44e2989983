"""SVOX Pico, from the package that ships it: small, quick, and of another make than Kokoro.

Its six voices are women's. The size of the throat (all resonances, by resampling) and the pitch
make men, children and others of them.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast

import numpy as np

from bargein_model.recordings import sounding
from bargein_model.speaking.engine import Floats, Make, Rendering, trains
from bargein_model.speaking.plan import Random

PICO = Make("pico", "SVOX Pico", "Apache-2.0 (engine output)")
VOICES: Mapping[str, Sequence[str]] = {
    "en": ("en-US", "en-GB"),
    "de": ("de-DE",),
    "es": ("es-ES",),
    "fr": ("fr-FR",),
    "it": ("it-IT",),
}
"""By the language they speak."""
RATE = 16_000
FLOOR_DB = 40
SILENCE = RATE // 5
"""What surrounds all that is said, so that nothing is taken for cut off."""
PITCH_OCTAVES = (-1.0, 0.43)
"""Against the voice's own."""
RESONANCES_BY_PITCH = 0.3
"""Low voices come from large throats: half the pitch, resonances lower by a fifth."""
RESONANCES_SPREAD = 0.05
MOST_PAUSE_S = 0.3
"""Between an acknowledgement and what follows."""
PACE = 0.8
"""Speaks as fast as Kokoro does when both are told 1."""
LEVELS, SPEEDS = (50, 200), (20, 500)
"""What Pico takes, in per cent."""


class _Speaker(Protocol):
    def speak(self, text: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Throat:
    """One of Pico's voices, made someone else's."""

    name: str
    resonances: float
    """Their factor, less than 1 for a large throat; the engine makes up for pitch and tempo."""
    pitch: float
    """What is heard, against the voice's own."""
    pause_s: float
    """Before the content, where a text opens with an acknowledgement."""

    @property
    def speaker(self) -> str:
        """What manifests call them."""
        return f"pico:{self.name}"


def throats(rng: Random) -> Callable[[str], Throat]:
    """Who speaks next in a language: someone else each time."""
    turns: dict[str, Iterator[str]] = {}

    def next_in(language: str) -> Throat:
        name = next(turns.setdefault(language, _in_turn(VOICES[language])))
        pitch = float(2 ** rng.uniform(*PITCH_OCTAVES))
        resonances = pitch**RESONANCES_BY_PITCH * float(np.exp(rng.normal(0.0, RESONANCES_SPREAD)))
        return Throat(name, resonances, pitch, float(rng.uniform(0.0, MOST_PAUSE_S)))

    return next_in


def _in_turn(names: Sequence[str]) -> Iterator[str]:
    """Over and over, those that may train."""
    while True:
        yield from (name for name in names if trains(PICO, f"pico:{name}"))


class Pico:
    """The engine.

    Raises:
        ModuleNotFoundError: the packages of the extra `speak` are not installed.
    """

    make = PICO

    def __init__(self) -> None:
        _engine("en-US")

    def say(self, voice: Throat, parts: Sequence[str], language: str, speed: float) -> Rendering:
        """Says the parts of a text one after the other, at 16 kHz times the throat's resonances."""
        del language  # the voice's
        said = [self._said(voice, part, speed) for part in parts]
        pause = round(voice.pause_s * RATE * voice.resonances)
        pieces: list[Floats] = [np.zeros(SILENCE, np.float32)]
        begins: list[int] = []
        for part in said:
            begins.append(sum(map(len, pieces)))
            pieces += [part, np.zeros(pause, np.float32)]
        pieces.append(np.zeros(SILENCE, np.float32))
        return Rendering(np.concatenate(pieces), RATE * voice.resonances, tuple(begins))

    def _said(self, voice: Throat, text: str, speed: float) -> Floats:
        level = _per_cent(voice.pitch / voice.resonances, LEVELS)
        tempo = _per_cent(speed * PACE / voice.resonances, SPEEDS)
        marked = f'<pitch level="{level}"><speed level="{tempo}">{text}</speed></pitch>'
        samples = np.frombuffer(_engine(voice.name).speak(marked), np.int16)
        audio = np.divide(samples, 32768, dtype=np.float32)
        span = sounding(audio, FLOOR_DB)
        return audio[slice(*span)] if span is not None else audio[:0]


def _per_cent(factor: float, allowed: tuple[int, int]) -> int:
    return int(np.clip(round(100 * factor), *allowed))


@cache
def _engine(name: str) -> _Speaker:
    return cast("_Speaker", importlib.import_module("ttspico").TtsEngine(name))
