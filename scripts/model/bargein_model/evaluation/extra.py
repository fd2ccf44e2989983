"""A second corpus from whatever further voices this machine has installed.

Nothing of it is ever trained on. It tells how a model does on engines and languages that it has
not heard. On Debian: `apt install espeak-ng flite festival festvox-kallpc16k festvox-kdlpc16k
festvox-us-slt-hts hedgewars-data ktuberling-data asterisk-core-sounds-{fr,it,ru}-wav`; what is
missing is left out, and the tables say what was there.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bargein_model.evaluation.texts import TEXTS
from bargein_model.recordings import Floats, Recording, recorded

ESPEAK_VOICES = ("", "+f2")
FLITE_VOICES = ("awb", "rms", "slt", "kal16")
FESTIVAL_VOICES = ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts")
PROMPTS = Path("/usr/share/asterisk/sounds")
PROMPT_VOICES = {"fr_CA_f_June": "fr", "it_IT_m_Carlo": "it", "ru_RU_f_IvrvoiceRU": "ru"}
"""Not `es_MX_f_Allison`: the same person's English prompts may be trained on."""
WORDS = Path("/usr/share/ktuberling/sounds")
WORD_LANGUAGES = ("en", "de", "el", "ca", "gl", "lt", "ru", "sl", "uk")
"""Not “da”: a hum hides where its words begin and end."""
SHOUTS = Path("/usr/share/games/hedgewars/Data/Sounds/voices")
SHOUT_VOICES = (
    *("British", "Default", "HillBilly", "Mobster", "Pirate", "Singer", "Surfer", "Russian"),
    *("Default_es", "Default_pl", "Default_ru", "Default_uk", "Russian_pl"),
)
SHOUT_NAMES = {
    "laugh": "Laugh",
    "cough": "PoisonCough",
    "exclamation": "Ooff1 Ooff2 Ooff3 Ow1 Ow2 Ow3 Ow4 Jump1 Jump2 Jump3",
}
"""Not their words: hedgehogs speak at twice the pitch of people."""
MOST = 60
"""Recordings taken from one voice."""


def utterances() -> list[Recording]:
    """All that the installed voices can say."""
    return [*_synthesised(), *_prompts(), *_words(), *_shouts()]


def _synthesised() -> Iterator[Recording]:
    if shutil.which("espeak-ng"):
        for language in TEXTS:
            for variant in ESPEAK_VOICES:
                yield from _lines("espeak-ng", language + variant, language, _espeak)
    if shutil.which("flite"):
        for voice in FLITE_VOICES:
            yield from _lines("flite", voice, "en", _flite)
    if shutil.which("text2wave"):
        for voice in FESTIVAL_VOICES:
            if _festival_has(voice):
                yield from _lines("festival", voice, "en", _festival)


def _lines(
    source: str, voice: str, language: str, engine: Callable[[str, str, Path], None]
) -> Iterator[Recording]:
    texts = TEXTS[language]
    for kind, subclass, lines in (
        ("speech", "tts_sentence", texts.sentences),
        ("speech", "tts_short", texts.shorts),
        ("backchannel", "backchannel", texts.backchannels),
    ):
        for line in lines.split(" / "):
            speak = partial(_spoken, engine, voice, line)
            yield Recording(source, voice, language, kind, subclass, line, speak, "tts")


def _spoken(engine: Callable[[str, str, Path], None], voice: str, text: str) -> Floats:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        engine(voice, text, path)
        return recorded(path)


def _espeak(voice: str, text: str, path: Path) -> None:
    subprocess.run(["espeak-ng", "-v", voice, "-w", path, text], check=True)


def _flite(voice: str, text: str, path: Path) -> None:
    subprocess.run(["flite", "-voice", voice, "-o", path, "-t", text], check=True)


def _festival(voice: str, text: str, path: Path) -> None:
    command = ["text2wave", "-eval", f"(voice_{voice})", "-o", str(path)]
    subprocess.run(command, input=text, text=True, check=True)


def _festival_has(voice: str) -> bool:
    command = ["festival", "-b", "(print (voice.list))"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    return voice in listed.stdout.replace("(", " ").replace(")", " ").split()


def _prompts() -> Iterator[Recording]:
    """Sentences and numbers of telephone exchanges, spoken by people."""
    for voice, language in PROMPT_VOICES.items():
        for subclass, place in (("recorded_prompt", "*.wav"), ("recorded_word", "digits/*.wav")):
            for path in sorted((PROMPTS / voice).glob(place))[:: _step(voice, place)]:
                yield _recorded("Asterisk prompts", voice, language, subclass, path)


def _step(voice: str, place: str) -> int:
    return max(1, len(list((PROMPTS / voice).glob(place))) // MOST)


def _words() -> Iterator[Recording]:
    """Names of things in a children's game, spoken by translators."""
    for language in WORD_LANGUAGES:
        for path in sorted((WORDS / language).glob("*.ogg"))[:MOST]:
            yield _recorded("KTuberling", language, language, "recorded_word", path)


def _shouts() -> Iterator[Recording]:
    """Laughs, coughs and the like, acted by people for the hedgehogs of a game."""
    for voice in SHOUT_VOICES:
        for kind, names in SHOUT_NAMES.items():
            paths = (SHOUTS / voice / f"{name}.ogg" for name in names.split())
            for path in filter(Path.exists, paths):
                read = partial(recorded, path)
                yield Recording("Hedgewars", voice, "", "vocal", kind, path.stem, read)


def _recorded(source: str, voice: str, language: str, subclass: str, path: Path) -> Recording:
    read = partial(recorded, path)
    return Recording(source, voice, language, "speech", subclass, path.stem, read)
