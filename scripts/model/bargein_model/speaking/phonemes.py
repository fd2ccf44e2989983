"""Texts as the phonemes that Kokoro reads: misaki's alphabet, by hibari-tts and espeak-ng."""

import importlib
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache

SPELLED = ("de", "es", "fr", "hi", "it", "nl", "pt-br", "ru", "sv")
"""By espeak-ng."""
VOWELS = {"a^ɪ": "I", "a^ʊ": "W", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q", "ɔ^ɪ": "Y"}
CONSONANTS = {"d^z": "ʣ", "d^ʒ": "ʤ", "t^s": "ʦ", "t^ʃ": "ʧ", "s^s": "S"}
"""Pairs of espeak-ng's that are one letter in misaki's alphabet."""
NEIGHBOURS = str.maketrans("ɵʉʏɦɫɧ", "øuyhlʃ")
"""Sounds of languages that Kokoro was not taught, as the nearest that it was."""
_SWITCH = re.compile(r"\([a-z-]+\)")
"""How espeak-ng marks a word that it reads as another language's."""


def spoken_languages() -> frozenset[str]:
    """The languages whose sounds can be spelled with what is installed."""
    found = shutil.which("espeak-ng")
    return frozenset({"en", *SPELLED}) if found else frozenset({"en"})


def phonemes(text: str, language: str, *, british: bool) -> str:
    """The sounds of a text, its punctuation kept. espeak-ng only spells them; it says nothing."""
    if language == "en":
        return _english(british)(text)
    bare = text.rstrip(".,!?")
    command = ["espeak-ng", "-q", "--ipa", "--tie=^", "-v", language, bare]
    spelled = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return misaki(spelled) + text[len(bare) :]


def misaki(spelled: str) -> str:
    """What espeak-ng spells, in the letters that Kokoro was taught."""
    joined = _SWITCH.sub("", " ".join(spelled.split()))
    for pair, letter in (VOWELS | CONSONANTS).items():
        joined = joined.replace(pair, letter)
    return joined.replace("^", "").replace("-", "").translate(NEIGHBOURS)


@cache
def _english(british: bool) -> Callable[[str], str]:
    spell: Callable[[str], str] = importlib.import_module("hibari.g2p").G2P(british=british)
    return spell
