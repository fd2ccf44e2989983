"""The exam draws from what training never hears, is the same every time, and is true."""

import asyncio
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from bargein_model.composer.corpus import Corpus, Role
from bargein_model.evaluation.composing import GOES_ON_S, PAUSE_S, TAIL_S, compose
from bargein_model.evaluation.deciding import Onset, Subject
from bargein_model.evaluation.items import Condition, Group, Item
from bargein_model.evaluation.material import Material
from bargein_model.evaluation.metrics import evidence
from bargein_model.evaluation.planning import GROUPS, WITH_REFERENCE, Plan, plan_exam
from bargein_model.evaluation.remote import ask
from bargein_model.evaluation.rules import VOICED_FRAME, Heard, periodic
from bargein_protocol.options import Options
from bargein_server.models.predictor import SyncPredictor
from model.corpora import write_corpus
from support.server import running_server

LEFT_OUT = "Game train"
BYTES = 2
FRAME, HOP, FIRST = 400, 800, 1600


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("exam") / "corpus")


@pytest.fixture(scope="module")
def corpus(folder: Path) -> Corpus:
    return opened(folder)


@pytest.fixture(scope="module")
def plans(corpus: Corpus) -> list[Plan]:
    return plan_exam(Material(corpus), seed=7, items=4)


@pytest.fixture(scope="module")
def items(corpus: Corpus, plans: list[Plan]) -> list[Item]:
    return [compose(plan, corpus) for plan in plans]


def opened(folder: Path, left_out: frozenset[str] = frozenset()) -> Corpus:
    corpus = Corpus((folder,), folder.parent / "cache", left_out)
    for _ in corpus.decode(corpus.reels):
        pass
    return corpus


def test_every_condition_holds_its_groups(plans: list[Plan]) -> None:
    key: Callable[[Plan], Condition] = lambda plan: plan.condition  # noqa: E731
    held = {condition: {p.group for p in part} for condition, part in groupby(plans, key)}
    assert held == {condition: set(groups) for condition, groups in GROUPS.items()}


def test_nothing_that_may_be_trained_on_is_drawn(corpus: Corpus, plans: list[Plan]) -> None:
    trained = [c for c in corpus.clips if c.role in {Role.TRAINING, Role.DEVELOPMENT}]
    drawn = [clip for plan in plans for clip in plan.clips]
    assert trained
    assert not {clip.speaker for clip in trained} & {clip.speaker for clip in drawn}
    assert not {clip.source for clip in trained} & {clip.source for clip in drawn}


def test_a_rotation_takes_interruptions_from_the_left_out_source_alone(folder: Path) -> None:
    corpus = opened(folder, frozenset({LEFT_OUT}))
    plans = plan_exam(Material(corpus, frozenset({LEFT_OUT})), seed=7, items=4)
    interruptions = {plan.sound.source for plan in plans if plan.group.interrupts}
    others = {plan.sound.source for plan in plans if plan.group is Group.MUSIC}
    trained = {clip.speaker for clip in corpus.clips if clip.role is Role.TRAINING}
    assert interruptions == {LEFT_OUT}
    assert others == {"Sounds val"}
    assert trained
    assert not trained & {clip.speaker for plan in plans for clip in plan.clips}


def test_the_same_seed_gives_the_same_exam(
    folder: Path, plans: list[Plan], items: list[Item]
) -> None:
    again = opened(folder)
    assert plan_exam(Material(again), seed=7, items=4) == plans
    assert [compose(plan, again) for plan in plans[::5]] == items[::5]


def test_another_seed_gives_another_exam(corpus: Corpus, plans: list[Plan]) -> None:
    other = plan_exam(Material(corpus), seed=8, items=4)
    assert [plan.seed for plan in other] != [plan.seed for plan in plans]


def test_sources_are_drawn_evenly(plans: list[Plan]) -> None:
    mixed = [p for p in plans if p.condition is Condition.MIXED and p.group is Group.LONG]
    sources = [plan.sound.source for plan in mixed]
    assert {sources.count(source) for source in sources} == {2}


def test_an_item_is_what_its_facts_say(items: list[Item]) -> None:
    for item in items:
        facts, length = item.facts, len(item.audio) // BYTES
        assert 16_000 <= facts.onset <= facts.content < facts.end < length
        assert length - facts.end == int(TAIL_S * 16_000)
        assert (facts.content > facts.onset) == (facts.group is Group.CONTINUED)
        assert item.reference is None or len(item.reference) == len(item.audio)


def test_the_sound_begins_at_the_onset(items: list[Item]) -> None:
    """Under clean conditions the 100 ms after the onset are far louder than those before."""
    clean = [item for item in items if item.facts.condition is Condition.CLEAN]
    assert clean
    for item in clean:
        audio = np.frombuffer(item.audio, "<i2").astype(np.float64)
        before = audio[item.facts.onset - 3200 : item.facts.onset - 160]
        after = audio[item.facts.onset : item.facts.onset + 3200]
        assert np.mean(after**2) > 100 * np.mean(before**2)


def test_a_reference_is_there_where_the_condition_says_so(items: list[Item]) -> None:
    for item in items:
        if item.facts.condition in WITH_REFERENCE:
            assert item.reference is not None
        if item.facts.condition is Condition.ECHO:
            assert item.reference is None


def test_an_echo_item_holds_the_agent_alone_from_the_onset_on(items: list[Item]) -> None:
    echoes = [i for i in items if i.facts.group is Group.ECHO and i.reference is not None]
    conditions = {item.facts.condition for item in echoes}
    assert {*WITH_REFERENCE} <= conditions
    for item in echoes:
        agent = np.frombuffer(item.reference or b"", "<i2")
        pauses = int(PAUSE_S[0] * 16_000)
        resumed = item.facts.condition is Condition.ECHO_RESUMED
        assert agent[: item.facts.onset].any() == resumed
        assert not agent[item.facts.onset - pauses : item.facts.onset].any()
        assert agent[item.facts.onset :].any()


def test_an_agent_that_goes_on_does_so_just_before_the_user_speaks(items: list[Item]) -> None:
    resumed = [i for i in items if i.facts.condition is Condition.ECHO_RESUMED]
    users = [item for item in resumed if item.facts.group is not Group.ECHO]
    assert users
    for item in users:
        agent = np.frombuffer(item.reference or b"", "<i2")[: item.facts.onset + 1600]
        starts = np.flatnonzero(agent)
        longest = np.diff(starts).max()
        assert longest >= PAUSE_S[0] * 16_000
        goes_on = starts[np.diff(starts).argmax() + 1]
        assert item.facts.onset - goes_on < (GOES_ON_S[1] + 0.1) * 16_000


def test_an_echo_comes_when_the_condition_says_so(items: list[Item]) -> None:
    """Until then there is room tone alone."""
    earliest = {Condition.ECHO_REFERENCE: 320, Condition.ECHO_DELAYED: 2400}
    louder: set[Condition] = set()
    for item in items:
        if item.facts.group is Group.ECHO and item.facts.condition in earliest:
            audio = np.frombuffer(item.audio, "<i2").astype(np.float64)
            onset, comes = item.facts.onset, earliest[item.facts.condition]
            tone, first = np.std(audio[:onset]), audio[onset : onset + comes - 16]
            assert np.std(first) < 1.5 * tone
            if np.std(audio[onset + comes : onset + comes + 8000]) > 3 * tone:
                louder.add(item.facts.condition)
    assert louder == set(earliest)


def test_a_rule_fires_when_enough_was_heard_and_forgets_after_half_a_second() -> None:
    heard = Heard(
        np.array([0] * 10 + [1] * 20 + [0] * 49 + [1] * 30 + [0] * 50 + [1] * 20, bool), 160
    )
    assert heard.fires(200) == 30 * 160
    assert heard.fires(500) == 109 * 160
    assert heard.fires(510) is None
    assert heard.fires(200, start=20 * 160) == 89 * 160
    assert heard.longest_ms() == 500


def test_a_buzz_is_voiced_and_hiss_is_not() -> None:
    time = np.arange(16_000) / 16_000
    buzz = (0.1 * np.sign(np.sin(2 * np.pi * 130 * time))).astype(np.float32)
    hiss = (0.1 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32)
    assert periodic(buzz)[3:-3].all()
    assert periodic(hiss).mean() < 0.05
    assert len(periodic(buzz)) == 16_000 // VOICED_FRAME


def test_the_detector_decides_by_the_evidence_of_the_whole_window(items: list[Item]) -> None:
    """Told the onset, it decides with the hop in which two frames first reach the threshold."""
    predictor = SyncPredictor.open()
    for item in (i for i in items if i.facts.group is Group.LONG):
        frames = np.array(Subject(predictor).frames(item))
        sounding = frames[: (item.facts.end - item.facts.onset) // FRAME - HOP // FRAME]
        threshold = evidence(sounding) - 0.001
        flagged = Subject(predictor, Options(threshold=threshold)).flagged(item, Onset.TRUE)
        pairs = np.minimum(frames[:-1], frames[1:])
        proven = item.facts.onset + (int(np.argmax(pairs >= threshold)) + 2) * FRAME
        assert flagged is not None
        assert 0 <= flagged - max(proven, item.facts.onset + FIRST) < HOP
        above = Options(threshold=evidence(frames) + 0.001)
        assert Subject(predictor, above).flagged(item, Onset.TRUE) is None


def test_the_exam_is_taken_at_the_threshold_that_the_model_brings() -> None:
    predictor = SyncPredictor.open()
    subject = Subject(predictor)
    assert subject.options.threshold == predictor.info.default_threshold
    assert subject.options.backchannel_boundary_ms is None


async def test_a_running_server_decides_as_the_exam_does(items: list[Item]) -> None:
    """Every eighth item, at the threshold that the evidence of half of them reaches."""
    asked = items[::8]
    predictor = SyncPredictor.open()
    scores = [evidence(np.array(Subject(predictor).frames(item))) for item in asked]
    threshold = round(float(np.median(scores)), 3)
    subject = Subject(predictor, Options(threshold=threshold))
    async with running_server() as server:
        answers = await asyncio.to_thread(lambda: dict(ask(server.session_url, asked, threshold)))
    assert answers == {item.facts.name: subject.flagged(item, Onset.SERVER) for item in asked}
    assert len(answers) == len(asked)
