"""Which of Kokoro's voices may speak for training, and what is made of them."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bargein_model.speaking.engine import Make, trains
from bargein_model.speaking.plan import Random, rounds

KOKORO = Make("kokoro", "Kokoro-82M", "Apache-2.0 (engine output)")
RESERVED = frozenset(
    {"af_bella", "am_michael", "bf_emma", "bm_george"}
    | {"jf_alpha", "zf_xiaobei", "ef_dora", "hm_omega"}
)
"""Kept for whoever examines the model with voices that it cannot know."""
LANGUAGES = {"a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "p": "pt-br"}
"""By a voice's first letter. Not Japanese and Chinese: espeak-ng's phonemes are not Kokoro's."""
BORROWED = frozenset({"de", "nl", "ru", "sv"})
"""Languages without a voice of their own; everybody speaks them, with an accent."""


BLENDED_SHARE = 0.85
"""How many speak with the sound, and how many with the melody, of another voice to a part …"""
MOST_BLENDED = 0.5
"""… of at most this."""


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

    @property
    def speaker(self) -> str:
        """What manifests call the voice."""
        return speaker_id(self.voice)


def blends(
    voices: Mapping[str, Sequence[str]], lending: Sequence[str]
) -> Callable[[Random], Callable[[str], Blend]]:
    """Everybody that may speak a language in turn, with shares of those that lend theirs."""

    def casting(rng: Random) -> Callable[[str], Blend]:
        turns = {language: rounds(names, rng) for language, names in voices.items()}
        lent = rounds(sorted(lending), rng)
        return lambda language: Blend(next(turns[language]), _share(lent, rng), _share(lent, rng))

    return casting


def _share(lent: Iterator[str], rng: Random) -> Share:
    blended = rng.random() < BLENDED_SHARE
    return Share(next(lent), float(rng.uniform(0.1, MOST_BLENDED)) if blended else 0.0)


def speaker_id(voice: str) -> str:
    """What manifests call a voice, so that it keeps its role in every corpus."""
    return f"kokoro:{voice}"


def language_of(voice: str) -> str | None:
    """What a voice speaks, or None where we cannot spell that language's sounds."""
    return LANGUAGES.get(voice[0])


def may_train(voice: str, reported: frozenset[str]) -> bool:
    """Whether a voice may be trained on; `reported` are the speaker ids of `val` splits."""
    speaker = speaker_id(voice)
    return voice not in RESERVED and speaker not in reported and trains(KOKORO, speaker)


def reported_speakers(manifests: Iterable[Path]) -> frozenset[str]:
    """Everyone in the `val` split of some corpora."""
    found: set[str] = set()
    for path in manifests:
        with path.open(encoding="utf-8", newline="") as file:
            found.update(r["speaker_id"] for r in csv.DictReader(file) if r["split"] != "train")
    return frozenset(found)


def lending_voices(names: Iterable[str], reported: frozenset[str]) -> list[str]:
    """The voices of which others may have a share, whatever they speak themselves."""
    return sorted(voice for voice in names if may_train(voice, reported))


def voices_by_language(
    names: Iterable[str], reported: frozenset[str], spoken: frozenset[str]
) -> dict[str, list[str]]:
    """The voices that may train, by the language they speak, of the languages wanted."""
    found: dict[str, list[str]] = {}
    for voice in sorted(names):
        language = language_of(voice)
        if language is not None and language in spoken and may_train(voice, reported):
            found.setdefault(language, []).append(voice)
    everybody = [voice for voices in found.values() for voice in voices]
    return found | dict.fromkeys(sorted(BORROWED & spoken), everybody)
