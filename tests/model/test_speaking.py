"""More short words: what is said, by whom, and the corpus folder that comes of it."""

import sys
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar, cast

import numpy as np
import pytest
from bargein_model.composer.corpus import Corpus, Role
from bargein_model.composer.foreground import ACKNOWLEDGING
from bargein_model.contract import SAMPLE_RATE
from bargein_model.speaking.cli import speak
from bargein_model.speaking.clips import row, trimmed
from bargein_model.speaking.engine import Rendering
from bargein_model.speaking.folder import PER_REEL, speak_into
from bargein_model.speaking.kokoro import RATE
from bargein_model.speaking.lists import Line, Said, languages, read
from bargein_model.speaking.phonemes import misaki
from bargein_model.speaking.pico import PITCH_OCTAVES, Pico, Throat, throats
from bargein_model.speaking.plan import ORDER, Utterance, plan
from bargein_model.speaking.voices import (
    KOKORO,
    RESERVED,
    Blend,
    Share,
    blends,
    lending_voices,
    may_train,
    reported_speakers,
    voices_by_language,
)
from click.testing import CliRunner
from model.corpora import COLUMNS, write_corpus
from numpy.typing import NDArray

Floats = NDArray[np.float32]
VOICES = {"en": ["af_heart", "am_echo", "bm_fable"], "es": ["em_alex"]}
LENDING = ["af_heart", "am_echo", "em_alex", "jf_nezumi"]
CASTING = blends(VOICES, LENDING)


def tone(length_s: float, rate: int = SAMPLE_RATE) -> Floats:
    times = np.arange(round(length_s * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * 220 * times)).astype(np.float32)


def hush(length_s: float, rate: int = SAMPLE_RATE) -> Floats:
    return np.zeros(round(length_s * rate), np.float32)


class Humming:
    """Hums for 0.3 s a part after 0.3 s of silence, then falls silent."""

    make = KOKORO

    def __init__(self) -> None:
        self.spoken = 0

    def say(self, voice: Blend, parts: Sequence[str], language: str, speed: float) -> Rendering:
        del voice, language, speed
        self.spoken += 1
        hummed = tone(0.3 * len(parts), RATE)
        begins = tuple(round(0.3 * RATE * (1 + n)) for n in range(len(parts)))
        return Rendering(np.concatenate([hush(0.3, RATE), hummed, hush(0.3, RATE)]), RATE, begins)


def utterance(said: Said, line: Line) -> Utterance[Blend]:
    voice = Blend("af_heart", Share("am_echo", 0.3), Share("jf_nezumi", 0.1))
    return Utterance(7, said, line, "en", voice, "!", 1.2, 1.0)


@pytest.mark.parametrize("said", [Said.INTERRUPTION, Said.SENTENCE])
def test_no_interruption_opens_as_an_acknowledgement_does(said: Said) -> None:
    openers = {line.text.lower().split()[0].strip(",") for line in read(said, "en")}
    assert openers.isdisjoint(ACKNOWLEDGING)


def test_short_interruptions_are_many_short_and_no_backchannels() -> None:
    for language in languages(Said.INTERRUPTION):
        texts = [line.text for line in read(Said.INTERRUPTION, language)]
        assert max(Counter(texts).values()) <= 3
        assert max(len(text.split()) for text in texts) <= 4
        assert set(texts).isdisjoint(line.text for line in read(Said.BACKCHANNEL, language))
    assert len(set(read(Said.INTERRUPTION, "en"))) >= 700


def test_a_line_comes_as_often_as_it_says() -> None:
    often = Counter(read(Said.BACKCHANNEL, "en"))
    assert often[Line("", "yeah")] == 3
    assert often[Line("", "yeah sure")] == 1


def test_continuations_have_an_opening_and_a_turn() -> None:
    lines = read(Said.CONTINUATION, "en")
    assert all(line.opening and line.rest for line in lines)
    assert Line("yeah,", "but not today") in lines


def test_voices_kept_for_an_exam_never_speak(tmp_path: Path) -> None:
    reported = reported_speakers([write_corpus(tmp_path / "corpus") / "manifest.csv"])
    assert "Game:val0" in reported
    assert "Game:train0" not in reported
    assert not any(may_train(voice, frozenset()) for voice in RESERVED)
    assert not may_train("am_adam", frozenset())  # the development set's
    assert not may_train("af_sky", frozenset({"kokoro:af_sky"}))
    assert may_train("af_heart", frozenset({"kokoro:af_sky"}))


def test_everybody_speaks_the_languages_that_have_no_voice_of_their_own() -> None:
    found = voices_by_language(["af_heart", "em_alex"], frozenset(), frozenset({"en", "es", "de"}))
    assert found == {"en": ["af_heart"], "es": ["em_alex"], "de": ["af_heart", "em_alex"]}


def test_most_speak_with_the_sound_of_another_voice_and_the_melody_of_a_third() -> None:
    voices = [one.voice for one in islice(plan(VOICES, CASTING, seed=1), 200)]
    for shares in ([voice.sound for voice in voices], [voice.melody for voice in voices]):
        assert {share.other for share in shares} == set(LENDING)
        assert all(0.0 <= share.part < 0.5 for share in shares)
        assert 0.7 < np.mean([share.part > 0 for share in shares]) < 0.95
    assert np.mean([voice.sound.other == voice.melody.other for voice in voices]) < 0.5


def test_a_voice_lends_whatever_it_speaks_itself_unless_it_is_kept() -> None:
    names = ["zm_yunxi", "af_heart", "am_adam", "jf_alpha"]
    assert lending_voices(names, frozenset({"kokoro:af_heart"})) == ["zm_yunxi"]


def test_voices_speak_their_own_language_if_it_can_be_spelled() -> None:
    names = ["bm_fable", "af_heart", "ff_siwis", "jf_nezumi", "zm_yunxi", "em_alex", "ef_dora"]
    found = voices_by_language(names, frozenset(), frozenset({"en", "es"}))
    assert found == {"en": ["af_heart", "bm_fable"], "es": ["em_alex"]}


def test_a_plan_is_the_same_for_a_seed_and_balanced_throughout() -> None:
    first, again, other = (list(islice(plan(VOICES, CASTING, seed), 240)) for seed in (1, 1, 2))
    assert first == again != other
    counts = Counter(one.said for one in first[: len(ORDER)])
    assert counts[Said.INTERRUPTION] == 10
    assert counts[Said.BACKCHANNEL] == 9
    assert all(one.voice.voice in VOICES[one.language] for one in first)
    short = [one.line for one in first if one.said is Said.INTERRUPTION and one.language == "en"]
    assert len(short) == len(set(short)) > 50
    heard = Counter(one.voice.voice for one in first if one.language == "en")
    assert max(heard.values()) - min(heard.values()) <= 1


def test_espeak_spells_in_the_letters_of_kokoro() -> None:
    assert misaki(" d^ʒˈu:n(en)t^ʃ-a^ʊ\n e^ɪ ") == "ʤˈu:nʧW A"


def test_silence_is_cut_off_and_the_turn_moves_along() -> None:
    clip = trimmed(np.concatenate([hush(0.5), tone(0.4), hush(0.5)]), round(0.7 * SAMPLE_RATE))
    assert clip is not None
    assert (clip.onset, clip.offset) == (1600, 1600 + 6400)
    assert len(clip.audio) == 1600 + 6400 + 1920
    assert clip.continuation == 1600 + 3200
    assert np.abs(clip.audio).max() == pytest.approx(0.7)


def test_the_click_at_the_end_is_no_sound() -> None:
    click = np.full(160, 0.3, np.float32)
    clip = trimmed(np.concatenate([hush(0.2), tone(0.4), hush(0.3), click, hush(0.02)]))
    assert clip is not None
    assert clip.offset - clip.onset == 6400


@pytest.mark.parametrize(
    "audio",
    [hush(1.0), np.concatenate([hush(0.3), tone(0.5)]), np.concatenate([tone(0.05), hush(0.5)])],
    ids=["silent", "cut off", "next to nothing"],
)
def test_what_the_voice_failed_to_say_is_left_out(audio: Floats) -> None:
    assert trimmed(audio) is None


def test_a_row_says_what_the_corpus_says_of_such_clips() -> None:
    clip = trimmed(np.concatenate([hush(0.2), tone(0.4), hush(0.3)]), round(0.4 * SAMPLE_RATE))
    assert clip is not None
    said = row(utterance(Said.CONTINUATION, Line("yeah,", "but why")), KOKORO, clip, "a.flac", 960)
    assert list(said) == COLUMNS.split()
    assert said["text"] == "yeah, but why!"
    assert (said["class"], said["subclass"]) == ("speech", "tts_bc_cont")
    assert (said["start_s"], said["onset_s"]) == ("0.060000", "0.100000")
    assert (said["cont_s"], said["note"]) == ("0.300000", "cont_from_durations")
    assert (said["speaker_id"], said["split"]) == ("kokoro:af_heart", "train")
    backchannel = row(utterance(Said.BACKCHANNEL, Line("", "got it")), KOKORO, clip, "a.flac", 960)
    assert (backchannel["class"], backchannel["subclass"]) == ("backchannel", "got it")


def test_the_folder_is_a_corpus_and_a_second_run_goes_on(tmp_path: Path) -> None:
    folder, engine = tmp_path / "spoken", Humming()
    list(speak_into(folder, engine, plan(VOICES, CASTING, 1), 1))
    assert engine.spoken == PER_REEL
    assert (
        list(speak_into(folder, engine, plan(VOICES, CASTING, 1), PER_REEL + 1))[-1] == 2 * PER_REEL
    )
    assert engine.spoken == 2 * PER_REEL

    corpus = Corpus([folder], tmp_path / "cache")
    list(corpus.decode({clip.reel for clip in corpus.clips}))
    assert len(corpus.clips) == 2 * PER_REEL
    assert {clip.role for clip in corpus.clips} == {Role.TRAINING}
    for clip in corpus.clips:
        audio = corpus.audio(clip)
        assert np.abs(audio[: clip.onset - 160]).max() < 0.01
        assert np.abs(audio[clip.onset : clip.offset]).max() == pytest.approx(0.7, abs=0.01)
        opens = clip.subclass == "tts_bc_cont"
        assert (clip.continuation is not None) == opens
        if clip.continuation is not None:
            middle = (clip.onset + clip.offset) // 2
            assert clip.continuation == pytest.approx(middle, abs=SAMPLE_RATE // 50)


class Piping:
    """Stands in for the package of SVOX Pico: a tone as long as its tempo allows, in silence."""

    heard: ClassVar[list[str]] = []

    def __init__(self, name: str) -> None:
        self.name = name

    def speak(self, text: str) -> bytes:
        self.heard.append(f"{self.name} {text}")
        sound = np.concatenate([hush(0.1), tone(0.4), hush(0.3)])
        return (sound * 32767).astype(np.int16).tobytes()


@pytest.fixture
def pico(monkeypatch: pytest.MonkeyPatch) -> Pico:
    monkeypatch.setitem(
        sys.modules, "ttspico", cast("ModuleType", SimpleNamespace(TtsEngine=Piping))
    )
    monkeypatch.setattr(Piping, "heard", [])
    return Pico()


def test_six_small_voices_become_many() -> None:
    one_of = throats(np.random.default_rng(1))
    english = [one_of("en") for _ in range(200)]
    assert Counter(one.speaker for one in english) == {"pico:en-US": 100, "pico:en-GB": 100}
    assert {one_of("fr").speaker for _ in range(5)} == {"pico:fr-FR"}
    pitches, resonances = np.array([(one.pitch, one.resonances) for one in english]).T
    assert (pitches.min(), pitches.max()) == pytest.approx([2**o for o in PITCH_OCTAVES], rel=0.05)
    assert resonances[pitches < 0.7].mean() < 0.9 < resonances[pitches > 1.1].mean()


def test_a_throat_changes_the_resonances_and_neither_the_pitch_nor_the_tempo(pico: Pico) -> None:
    said = pico.say(Throat("en-GB", 0.8, 0.6, 0.2), ["wait!"], "en", 1.5)
    assert said.rate == 0.8 * 16_000
    assert Piping.heard == ['en-GB <pitch level="75"><speed level="150">wait!</speed></pitch>']


def test_what_follows_an_acknowledgement_begins_after_a_pause(pico: Pico) -> None:
    said = pico.say(Throat("en-US", 1.25, 1.0, 0.2), ["yeah,", "but why"], "en", 1.0)
    opening, content = said.begins
    assert content - opening == pytest.approx(0.4 * 16_000 + 0.2 * said.rate, abs=160)
    assert not said.audio[:opening].any()
    assert not said.audio[content - round(0.2 * said.rate) : content].any()
    assert np.abs(said.audio[content : content + 160]).max() > 0.1


def test_pico_needs_no_voices_and_no_corpus(tmp_path: Path, pico: Pico) -> None:
    del pico
    lacking = ["--voices", str(tmp_path / "none"), "--corpus", str(tmp_path / "none")]
    folder = tmp_path / "spoken"
    command = ["--engine", "pico", "--clips", "1", "--output", str(folder), *lacking]
    done = CliRunner().invoke(speak, command)
    assert done.exit_code == 0, done.output
    corpus = Corpus([folder], tmp_path / "cache")
    assert {clip.source for clip in corpus.clips} == {"SVOX Pico"}
    assert len(corpus.clips) == PER_REEL


def test_kokoro_says_what_it_lacks(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "corpus")
    voices = tmp_path / "voices"
    done = CliRunner().invoke(speak, ["--corpus", str(folder), "--voices", str(voices)])
    assert done.exit_code == 2
    assert f"cannot speak without {voices}" in " ".join(done.output.replace("│", "").split())
