"""Every window of a connection gets its answer, in time, whatever the model does."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from bargein_protocol.options import Options
from bargein_server.detection.vad import WebrtcVad
from bargein_server.livekit import answering as module
from bargein_server.livekit.answering import Answered, Answering
from bargein_server.livekit.hearing import Hearing
from bargein_server.livekit.judgement import Rule, Source
from bargein_server.livekit.messages import BargeinDetected, InferenceDone, Window
from bargein_server.livekit.speech import WindowSpeech
from bargein_server.models.contract import Model
from bargein_server.models.onnx import OnnxModel
from bargein_server.models.predictor import Predictor
from support.models import GatedModel
from support.sounds import growing, silence, voice

WINDOWS = growing(silence(1.0) + voice(1.0), first_s=1.1)
RULE = Rule(threshold=0.95, min_frames=2, vad_min_speech=8000)


class Client:
    """Asks, and collects what is answered."""

    def __init__(self, predictor: Predictor, rule: Rule) -> None:
        self.answers: asyncio.Queue[Answered] = asyncio.Queue()
        hearing = Hearing(partial(WindowSpeech, WebrtcVad(2), Options()))
        self.answering = Answering(predictor, hearing, rule, self.answers.put_nowait)

    def send(self, *windows: Window) -> None:
        for window in windows:
            self.answering.take(window)

    async def collect(self, count: int) -> list[Answered]:
        return [await self.answers.get() for _ in range(count)]


@asynccontextmanager
async def client(model: Model, rule: Rule = RULE) -> AsyncGenerator[Client]:
    async with Predictor(model) as predictor:
        yield Client(predictor, rule)


def numbered(windows: list[bytes]) -> list[Window]:
    return [Window(number, pcm) for number, pcm in enumerate(windows, start=1)]


def said(answered: list[Answered]) -> list[tuple[int, Source]]:
    return [(each.answer.created_at, each.judgement.source) for each in answered]


async def test_windows_one_after_the_other_are_all_answered_by_the_model(tiny: OnnxModel) -> None:
    async with client(tiny, Rule(threshold=0.5, min_frames=2, vad_min_speech=8000)) as c:
        kinds: list[type] = []
        for window in numbered(WINDOWS):
            c.send(window)
            (answered,) = await c.collect(1)
            assert said([answered]) == [(window.created_at, Source.MODEL)]
            assert len(answered.answer.probabilities) == window.samples // 400
            kinds.append(type(answered.answer))
    assert kinds[0] is InferenceDone
    assert kinds[-1] is BargeinDetected
    assert kinds == sorted(kinds, key=lambda kind: kind is BargeinDetected), "never taken back"


async def test_a_newer_window_takes_the_place_of_the_one_that_waits(tiny: OnnxModel) -> None:
    gated = GatedModel(tiny)
    async with client(gated) as c:
        windows = numbered(WINDOWS[:4])
        c.send(*windows)
        assert said(await c.collect(2)) == [(2, Source.SUPERSEDED), (3, Source.SUPERSEDED)]
        gated.let_go()
        gated.let_go()
        answered = await c.collect(2)
        assert said(answered) == [(1, Source.MODEL), (4, Source.MODEL)]
        assert not c.answering.busy
    async with client(tiny) as alone:
        alone.send(windows[3])
        (expected,) = await alone.collect(1)
    assert answered[1].judgement == expected.judgement, "as if it had been the only one"


async def test_equal_names_get_as_many_answers_as_windows(tiny: OnnxModel) -> None:
    async with client(tiny) as c:
        c.send(*(Window(2**64 - 1, pcm) for pcm in WINDOWS))
        answered = await c.collect(len(WINDOWS))
        assert {each.answer.created_at for each in answered} == {2**64 - 1}
        assert c.answers.empty()


async def test_when_the_model_fails_the_length_of_the_sound_decides(tiny: OnnxModel) -> None:
    gated = GatedModel(tiny)
    async with client(gated) as c:
        kinds: list[tuple[type, Source]] = []
        for window in (numbered(WINDOWS)[index] for index in (0, 8)):
            c.send(window)
            gated.let_go(RuntimeError("broken"))
            (answered,) = await c.collect(1)
            kinds.append((type(answered.answer), answered.judgement.source))
        assert kinds == [(InferenceDone, Source.VAD), (BargeinDetected, Source.VAD)]
        c.send(Window(9, WINDOWS[9]))
        gated.let_go()
        assert said(await c.collect(1)) == [(9, Source.MODEL)], "it is asked again each time"


async def test_a_model_that_hangs_delays_no_answer(
    tiny: OnnxModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.0)
    gated = GatedModel(tiny)
    async with client(gated) as c:
        c.send(*numbered(WINDOWS[:3]))
        answered = said(await c.collect(3))
        assert answered == [(2, Source.SUPERSEDED), (1, Source.VAD), (3, Source.VAD)]
        gated.let_go()


async def test_what_a_slow_model_says_is_not_lost(
    tiny: OnnxModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated = GatedModel(tiny)
    async with client(gated) as c:
        with monkeypatch.context() as patch:
            patch.setattr(module, "ANSWER_WITHIN_S", 0.0)
            c.send(Window(1, WINDOWS[0]))
            assert said(await c.collect(1)) == [(1, Source.VAD)]
        assert await gated.begun() == (1, 44)
        c.send(Window(2, WINDOWS[1]))
        gated.let_go()
        assert await gated.begun() == (1, 4), "it goes on from there"
        gated.let_go()
        (answered,) = await c.collect(1)
        assert said([answered]) == [(2, Source.MODEL)]
    async with client(tiny) as alone:
        alone.send(Window(2, WINDOWS[1]))
        (expected,) = await alone.collect(1)
    assert answered.judgement == expected.judgement


async def test_digital_silence_needs_no_model(tiny: OnnxModel) -> None:
    gated = GatedModel(tiny)
    async with client(gated) as c:
        c.send(Window(1, bytes(2 * 48_000)), Window(2, b""), Window(3, bytes(500)))
        answered = await c.collect(3)
    assert said(answered) == [(1, Source.SILENCE), (2, Source.SILENCE), (3, Source.SILENCE)]
    assert [len(each.answer.probabilities) for each in answered] == [120, 0, 0]


async def test_less_than_a_frame_is_answered_without_frames(tiny: OnnxModel) -> None:
    async with client(tiny) as c:
        c.send(Window(1, voice(0.02)))
        (answered,) = await c.collect(1)
    assert answered.answer == InferenceDone(
        created_at=1, prediction_duration=answered.took_s, probabilities=()
    )


async def test_after_closing_nothing_is_answered(tiny: OnnxModel) -> None:
    gated = GatedModel(tiny)
    async with client(gated) as c:
        c.send(*numbered(WINDOWS[:2]))
        await gated.begun()
        c.answering.close()
        gated.let_go()
    assert c.answers.empty()
    assert not c.answering.busy
