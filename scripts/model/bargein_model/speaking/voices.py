"""Which of Kokoro's voices may speak for training."""

import csv
from collections.abc import Iterable
from pathlib import Path

from bargein_model.composer.corpus import Role, role_of

SOURCE = "Kokoro-82M"
LICENCE = "Apache-2.0 (engine output)"
RESERVED = frozenset(
    {"af_bella", "am_michael", "bf_emma", "bm_george"}
    | {"jf_alpha", "zf_xiaobei", "ef_dora", "hm_omega"}
)
"""Kept for whoever examines the model with voices that it cannot know."""
LANGUAGES = {"a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "p": "pt-br"}
"""By a voice's first letter. Not Japanese and Chinese: espeak-ng's phonemes are not Kokoro's."""
BORROWED = frozenset({"de", "nl", "ru", "sv"})
"""Languages without a voice of their own; everybody speaks them, with an accent."""


def speaker_id(voice: str) -> str:
    """What manifests call a voice, so that it keeps its role in every corpus."""
    return f"kokoro:{voice}"


def language_of(voice: str) -> str | None:
    """What a voice speaks, or None where we cannot spell that language's sounds."""
    return LANGUAGES.get(voice[0])


def may_train(voice: str, reported: frozenset[str]) -> bool:
    """Whether a voice may be trained on; `reported` are the speaker ids of `val` splits."""
    speaker = speaker_id(voice)
    row = {"source": SOURCE, "split": "train", "class": "speech", "speaker_id": speaker}
    if voice in RESERVED or speaker in reported:
        return False
    return role_of(row, frozenset()) is Role.TRAINING


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
