"""Composed overlaps are the same every time, fit to hear, and taught what they hold."""

from collections import Counter
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from bargein_model import recordings
from bargein_model.composer import filling
from bargein_model.composer.compose import ALONE_DB, TONE_DB, Composer
from bargein_model.composer.corpus import Corpus, Role
from bargein_model.composer.foreground import Foreground
from bargein_model.composer.letters import LETTERS
from bargein_model.composer.overlap import BEFORE_ONSET, UNDECIDED, Floats, Nuisances, Overlap
from bargein_model.composer.pools import Pools
from bargein_model.composer.probe import held_out_auc
from bargein_model.composer.shards import Shard, StaleShardError, complete_shards, shard_folder
from bargein_model.composer.variation import USER_HZ, Variation
from bargein_model.contract import SAMPLE_RATE, SoundClass
from bargein_model.features import USER_BANDS, user_features
from model.corpora import write_corpus

FRAMES, FRAME = 80, 400
MANY = 60


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("composer")
    read = Corpus([write_corpus(folder / "corpus")], folder / "cache", frozenset({"Engine train"}))
    assert len(list(read.decode(read.reels))) == len(read.reels)
    return read


@pytest.fixture(scope="module")
def composer(corpus: Corpus) -> Composer:
    return Composer(Pools(corpus, Role.TRAINING))


@pytest.fixture(scope="module")
def overlaps(composer: Composer) -> list[Overlap]:
    return [composer.compose(np.random.default_rng([7, n]), FRAMES) for n in range(MANY)]


def test_the_same_seed_gives_the_same_overlap(composer: Composer, overlaps: list[Overlap]) -> None:
    again = composer.compose(np.random.default_rng([7, 3]), FRAMES)
    np.testing.assert_array_equal(again.audio, overlaps[3].audio)
    np.testing.assert_array_equal(again.reference, overlaps[3].reference)
    assert again.nuisances == overlaps[3].nuisances


def test_overlaps_are_as_long_as_asked_and_within_full_scale(overlaps: list[Overlap]) -> None:
    for overlap in overlaps:
        assert overlap.audio.shape == overlap.reference.shape == (FRAMES * FRAME,)
        assert overlap.alone.shape == overlap.audio.shape
        assert overlap.targets.shape == (FRAMES,)
        assert np.all(np.abs(overlap.audio) <= 1.0)
        assert np.any(overlap.audio != 0)


def test_nothing_is_taught_before_the_onset_and_something_after(overlaps: list[Overlap]) -> None:
    for overlap in overlaps:
        onset = max(0, overlap.onset // FRAME)
        assert np.all(overlap.targets[:onset] == BEFORE_ONSET)
        assert np.all(overlap.targets[onset:] != BEFORE_ONSET)
        assert overlap.targets[-1] in {overlap.sound, UNDECIDED}


def test_a_sound_alone_has_nothing_around_it(composer: Composer) -> None:
    for number in range(24):
        spoken = composer.compose(
            np.random.default_rng([9, number]), FRAMES, SoundClass.BACKCHANNEL
        )
        assert level_db(spoken.alone[: spoken.onset]) == pytest.approx(TONE_DB, abs=1.5)
        assert level_db(spoken.alone[spoken.onset :]) > ALONE_DB - 20
    echoes = [
        composer.compose(np.random.default_rng([9, n]), FRAMES, SoundClass.ECHO) for n in range(24)
    ]
    before_speech = [one.alone[: 16_000 * 3 // 10 + max(0, one.onset)] for one in echoes]
    assert [level_db(alone) for alone in before_speech] == pytest.approx([TONE_DB] * 24, abs=1.0)


def level_db(audio: Floats) -> float:
    return float(10 * np.log10(np.mean(audio**2)))


@pytest.mark.parametrize("sound", list(SoundClass))
def test_every_class_can_be_asked_for(composer: Composer, sound: SoundClass) -> None:
    composed = [composer.compose(np.random.default_rng([8, n]), FRAMES, sound) for n in range(12)]
    ends = Counter(overlap.sound for overlap in composed)
    assert set(ends) <= {sound, SoundClass.INTERRUPTION}
    assert ends[sound] > 0


def test_an_overlap_names_the_sources_of_all_that_is_in_it(
    corpus: Corpus, overlaps: list[Overlap]
) -> None:
    known = {clip.source for clip in corpus.clips if clip.role is Role.TRAINING}
    assert set.union(*(set(overlap.sources) for overlap in overlaps)) <= known
    assert all(overlap.sources for overlap in overlaps)
    assert any("Game train" not in overlap.sources for overlap in overlaps)


def test_what_is_said_is_written_down_only_if_it_is_heard_from_its_beginning(
    overlaps: list[Overlap],
) -> None:
    assert {overlap.said for overlap in overlaps} >= {"", "seven"}
    assert all(set(overlap.said) <= set(LETTERS) for overlap in overlaps)
    assert {overlap.said for overlap in overlaps if overlap.onset < 0} == {""}


def test_long_speech_often_begins_with_a_later_word(corpus: Corpus) -> None:
    foreground = Foreground(Pools(corpus, Role.TRAINING))
    opened = [
        foreground.build(SoundClass.INTERRUPTION, 0, np.random.default_rng([9, n]))
        for n in range(80)
    ]
    long = [sounds[0] for sounds, clip in opened if clip.subclass == "acted_line"]
    assert {len(sound.audio) > 1.3 * SAMPLE_RATE for sound in long} == {True, False}


def test_babble_of_talkers_is_new_every_time(corpus: Corpus) -> None:
    pools = Pools(corpus, Role.TRAINING)
    one, other = (pools.talkers(16_000, np.random.default_rng(seed)) for seed in (1, 2))
    assert one.shape == other.shape == (16_000,)
    assert np.abs(np.corrcoef(one, other)[0, 1]) < 0.5
    assert np.mean(np.abs(one) > 1e-3) > 0.5


def test_a_variation_moves_the_spectrum_and_hides_a_band() -> None:
    time = np.arange(8000) / 16_000
    features = user_features((0.1 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32))
    higher = Variation(1.15, (0.0, 0.0), -9.0).of(features)
    peaks = [USER_HZ[np.argmax(part[10, :USER_BANDS])] for part in (features, higher)]
    assert peaks == pytest.approx([1000, 1150], rel=0.06)
    deaf = Variation(1.0, (500.0, 2000.0), -9.0).of(features)
    inside = (USER_HZ >= 500) & (USER_HZ < 2000)
    assert np.all(deaf[:, :USER_BANDS][:, inside] == -9)
    assert np.array_equal(deaf[:, :USER_BANDS][:, ~inside], features[:, :USER_BANDS][:, ~inside])
    moved = Variation(1.15, (500.0, 2000.0), -9.0).in_full().of(features)
    np.testing.assert_array_equal(moved, higher)


@pytest.mark.parametrize("number", [0, filling.ONE_LONG_IN - 1])
def test_a_shard_is_the_same_again_and_reads_back_as_it_was_written(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(filling, "SHARD_SIZE", 4)
    composer = Composer(Pools(corpus, Role.TRAINING))
    shard = filling.compose_shard(composer, 1, number, varied=True)
    shard.save(shard_folder(tmp_path, number))
    assert complete_shards(tmp_path) == [shard_folder(tmp_path, number)]
    again = filling.compose_shard(composer, 1, number, varied=True)
    for other in (again, Shard.load(shard_folder(tmp_path, number))):
        for name, column in vars(shard).items():
            assert np.array_equal(column, getattr(other, name)), name
    assert shard.user.shape[:2] == shard.targets.shape == ((4, 160) if number == 0 else (2, 320))


def test_a_shard_of_an_earlier_version_says_so(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "SHARD_SIZE", 1)
    folder = shard_folder(tmp_path, 0)
    filling.compose_shard(Composer(Pools(corpus, Role.TRAINING)), 1, 0, varied=True).save(folder)
    (folder / "alone.npy").unlink()
    with pytest.raises(StaleShardError, match=r"shard-00000: .*without alone.*compose again"):
        Shard.load(folder)


def test_roles_share_no_speaker(corpus: Corpus) -> None:
    speakers = {role: {clip.speaker for clip in corpus.clips if clip.role is role} for role in Role}
    assert speakers[Role.LEFT_OUT]
    assert speakers[Role.REPORTED]
    for role in Role:
        for other in set(Role) - {role}:
            assert not speakers[role] & speakers[other]


def test_the_probe_finds_what_gives_a_class_away_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    wanted = rng.random(2000) < 0.5
    blind = np.stack([np.ones(2000), rng.normal(size=2000)], axis=1)
    telling = np.stack([np.ones(2000), rng.normal(size=2000) + 2.0 * wanted], axis=1)
    assert held_out_auc(blind, wanted) == pytest.approx(0.5, abs=0.05)
    assert held_out_auc(telling, wanted) > 0.9


def test_nuisances_are_numbers(overlaps: list[Overlap]) -> None:
    for overlap in overlaps:
        values = [float(getattr(overlap.nuisances, field.name)) for field in fields(Nuisances)]
        assert np.all(np.isfinite(values))


def test_a_corpus_without_a_needed_kind_says_so(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(
        "reel,start_s,end_s,class,subclass,text,speaker_id,speaker_kind,source,language,"
        "bandwidth_hz,onset_s,offset_s,split,cont_s,note\n",
        encoding="utf-8",
    )
    with pytest.raises(ValueError, match="no recording of class `speech`"):
        Pools(Corpus([tmp_path], tmp_path / "cache"), Role.TRAINING)


def test_a_folder_that_was_made_anew_is_decoded_anew(tmp_path: Path) -> None:
    folder, cache = tmp_path / "mine", tmp_path / "cache"

    def gathered(level: float, seconds: float) -> Corpus:
        audio = np.full(int(seconds * 16_000), level, np.float32)
        one = recordings.Recording(
            "mine", "me", "en", "speech", "acted_short", "wait", lambda: audio
        )
        list(recordings.write_corpus(folder, [one], "train"))
        corpus = Corpus((folder,), cache)
        list(corpus.decode(corpus.reels))
        return corpus

    before = gathered(0.25, 1.0)
    assert before.audio(before.clips[0])[100] == pytest.approx(0.25, abs=1e-3)
    after = gathered(0.5, 2.0)
    assert after.audio(after.clips[0])[100] == pytest.approx(0.5, abs=1e-3)
    assert len(list(cache.iterdir())) == 1
