"""One model for all: order, batches, deadlines, failures, overload, the end. Real threads."""

import asyncio
import threading
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from bargein_server.detection.inputs import ClassProbabilities
from bargein_server.models.contract import Floats, Model
from bargein_server.models.onnx import OnnxModel
from bargein_server.models.predictor import (
    ModelError,
    ModelInfo,
    PredictionError,
    Predictor,
    StreamPrediction,
    SyncPredictor,
)
from hypothesis import given
from hypothesis import strategies as st
from support.models import GatedModel

Frames = Sequence[ClassProbabilities]

FRAME_BYTES = 800
STEP = 4
"""Frames in 100 ms."""


def sound(frames: int, seed: int = 0) -> bytes:
    samples = np.random.default_rng(seed).integers(-3000, 3000, frames * FRAME_BYTES // 2)
    return samples.astype("<i2").tobytes()


def cut(audio: bytes, frames: int) -> list[bytes]:
    size = frames * FRAME_BYTES
    return [audio[start : start + size] for start in range(0, len(audio), size)]


def assert_close(frames: Frames, expected: Frames) -> None:
    """Equal but for the last of four decimals, where rounding may go either way."""
    np.testing.assert_allclose(list(map(values, frames)), list(map(values, expected)), atol=1.01e-4)


def values(frame: ClassProbabilities) -> list[float]:
    return [getattr(frame, name) for name in frame.__struct_fields__]


async def failure(answer: asyncio.Future[StreamPrediction]) -> str:
    with pytest.raises(PredictionError) as caught:
        await answer
    return caught.value.cause


def threads() -> list[str]:
    return [
        thread.name
        for thread in threading.enumerate()
        if thread.name.startswith("bargein-predictor")
    ]


@pytest.fixture
async def gated(tiny: OnnxModel) -> GatedModel:
    return GatedModel(tiny)


@pytest.fixture
async def predictor(gated: GatedModel) -> AsyncIterator[Predictor]:
    """Runs only when the test lets the gated model go; 1000 frames may wait."""
    async with Predictor(gated, max_waiting_frames=1000) as opened:
        yield opened
        gated.let_all_go()


async def hold(predictor: Predictor, gated: GatedModel) -> asyncio.Future[StreamPrediction]:
    """Keep the model busy with a step of a stream of its own, so that what follows waits."""
    answer = predictor.stream().predict(sound(1))
    assert await gated.begun() == (1, 1)
    return answer


class HeavyModel:
    """One whose streams carry 4 MB each."""

    info = ModelInfo(name="heavy", version="1", default_threshold=0.5, state_size=1_000_000)

    def run(self, audio: Floats, reference: Floats, state: Floats) -> tuple[Floats, Floats]:
        rows = np.full((len(audio), reference.shape[1] // 400, 5), 0.2, np.float32)
        return rows, np.zeros_like(state)


# ------------------------------------------------------------------ answers


async def test_the_shipped_model_answers_per_frame() -> None:
    async with Predictor.open() as predictor:
        answer = await predictor.stream().predict(sound(44), timeout_ms=60_000)
    assert len(answer.frames) == 44
    for frame in answer.frames:
        assert sum(values(frame)) == pytest.approx(1, abs=5e-4)
        assert all(value == round(value, 4) for value in values(frame))
    assert answer.inference_us > 0


async def test_a_bad_model_is_refused_before_there_is_a_thread(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        Predictor.open(tmp_path / "none.onnx")
    assert not threads()


async def test_fifty_streams_at_once_are_answered_as_each_alone() -> None:
    async with Predictor.open() as predictor:
        streams = [predictor.stream() for _ in range(50)]
        first = await asyncio.gather(*(s.predict(sound(44, i)) for i, s in enumerate(streams)))
        later = await asyncio.gather(*(s.predict(sound(4, i + 50)) for i, s in enumerate(streams)))
    alone = SyncPredictor.open()
    for i in range(50):
        stream = alone.stream()
        assert_close(first[i].frames, stream.predict(sound(44, i)).frames)
        assert_close(later[i].frames, stream.predict(sound(4, i + 50)).frames)


async def test_the_reference_is_heard_and_none_is_silence(tiny: OnnxModel) -> None:
    async with Predictor(tiny) as predictor:
        quiet, silent, loud = await asyncio.gather(
            predictor.stream().predict(sound(4)),
            predictor.stream().predict(sound(4), bytes(4 * FRAME_BYTES)),
            predictor.stream().predict(sound(4), sound(4, 1)),
        )
    assert quiet.frames == silent.frames
    assert loud.frames != quiet.frames


async def test_a_stream_holds_one_state_and_nothing_is_held_after_it() -> None:
    state_bytes = 4 * HeavyModel.info.state_size

    async def held_less_than(limit: float) -> None:
        async with asyncio.timeout(10):
            while tracemalloc.get_traced_memory()[0] >= limit:  # noqa: ASYNC110 – the thread's doing
                await asyncio.sleep(0)

    async with Predictor(HeavyModel()) as predictor:
        tracemalloc.start()
        try:
            stream = predictor.stream()
            for _ in range(3):
                await stream.predict(sound(2), timeout_ms=60_000)
            await held_less_than(1.5 * state_bytes)
            del stream
            await held_less_than(0.5 * state_bytes)
        finally:
            tracemalloc.stop()


cuts = st.lists(st.lists(st.integers(1, 12), min_size=1, max_size=6), min_size=1, max_size=6)


@given(cuts)
def test_however_many_ask_for_whatever_the_answers_are_the_same(
    tiny: OnnxModel, streams: list[list[int]]
) -> None:
    async def ask() -> list[list[StreamPrediction]]:
        async with Predictor(tiny) as predictor:
            asked = [
                [stream.predict(sound(frames, i)) for i, frames in enumerate(steps)]
                for stream, steps in ((predictor.stream(), steps) for steps in streams)
            ]
            return [[await answer for answer in answers] for answers in asked]

    for answers, steps in zip(asyncio.run(ask()), streams, strict=True):
        alone = SyncPredictor(tiny).stream()
        for i, (answer, frames) in enumerate(zip(answers, steps, strict=True)):
            assert_close(answer.frames, alone.predict(sound(frames, i)).frames)


# ------------------------------------------------------------------ batches


async def test_steps_of_one_turn_share_a_batch(predictor: Predictor, gated: GatedModel) -> None:
    answers = [predictor.stream().predict(sound(STEP)) for _ in range(10)]
    assert await gated.begun() == (10, STEP)
    gated.let_go()
    await asyncio.gather(*answers)
    assert predictor.waiting_frames == 0


async def test_queued_steps_of_a_stream_are_joined_and_answered_in_order(
    predictor: Predictor, gated: GatedModel, tiny: OnnxModel
) -> None:
    held = await hold(predictor, gated)
    stream, order = predictor.stream(), list[asyncio.Future[StreamPrediction]]()
    steps = cut(sound(20), STEP)
    answers = [stream.predict(step) for step in steps]
    for answer in answers:
        answer.add_done_callback(order.append)
    gated.let_go()
    assert await gated.begun() == (1, 20)
    gated.let_go()
    alone = SyncPredictor(tiny).stream()
    for said, step in zip(await asyncio.gather(*answers), steps, strict=True):
        assert_close(said.frames, alone.predict(step).frames)
    assert order == answers
    assert held.done()


async def test_a_long_window_runs_in_pieces_and_lets_steps_pass(
    predictor: Predictor, gated: GatedModel, tiny: OnnxModel
) -> None:
    window = predictor.stream().predict(sound(300))
    assert await gated.begun() == (1, 120)
    step = predictor.stream().predict(sound(STEP))
    runs: list[tuple[int, int]] = []
    for _ in range(3):
        gated.let_go()
        runs.append(await gated.begun())
    gated.let_go()
    assert runs == [(1, STEP), (1, 120), (1, 60)]
    assert len((await step).frames) == STEP
    assert_close((await window).frames, SyncPredictor(tiny).stream().predict(sound(300)).frames)


async def test_what_comes_for_a_stream_that_runs_waits_for_its_state(
    predictor: Predictor, gated: GatedModel, tiny: OnnxModel
) -> None:
    stream, (first, second) = predictor.stream(), cut(sound(8), STEP)
    answers = [stream.predict(first)]
    assert await gated.begun() == (1, STEP)
    answers.append(stream.predict(second))
    gated.let_go()
    assert await gated.begun() == (1, STEP)
    gated.let_go()
    heard = [frame for answer in await asyncio.gather(*answers) for frame in answer.frames]
    assert_close(heard, SyncPredictor(tiny).stream().predict(sound(8)).frames)


# ------------------------------------------------------------------ deadlines and failures


async def test_a_timeout_ends_the_stream_and_no_other(
    predictor: Predictor, gated: GatedModel
) -> None:
    late, other = predictor.stream(), predictor.stream()
    running = late.predict(sound(STEP))
    answer = other.predict(sound(STEP), timeout_ms=60_000)
    assert await gated.begun() == (2, STEP)
    assert await failure(late.predict(sound(STEP), timeout_ms=1)) == "timeout"
    assert await failure(running) == "timeout"
    gated.let_go()
    assert len((await answer).frames) == STEP
    assert await failure(late.predict(sound(STEP))) == "error"
    assert predictor.waiting_frames == 0


async def test_a_step_that_timed_out_while_it_waited_is_never_run(
    predictor: Predictor, gated: GatedModel
) -> None:
    held = await hold(predictor, gated)
    assert await failure(predictor.stream().predict(sound(40), timeout_ms=1)) == "timeout"
    last = predictor.stream().predict(sound(STEP))
    gated.let_go()
    assert await gated.begun() == (1, STEP)
    gated.let_go()
    await asyncio.gather(held, last)


async def test_a_failing_model_costs_its_batch_only(
    predictor: Predictor, gated: GatedModel, caplog: pytest.LogCaptureFixture
) -> None:
    unlucky, lucky = predictor.stream(), predictor.stream()
    answers = [unlucky.predict(sound(STEP)), unlucky.predict(sound(STEP))]
    assert await gated.begun() == (1, 2 * STEP)
    answer = lucky.predict(sound(STEP))
    gated.let_go(RuntimeError("out of luck"))
    assert [await failure(each) for each in answers] == ["error", "error"]
    assert await gated.begun() == (1, STEP)
    gated.let_go()
    assert len((await answer).frames) == STEP
    assert await failure(unlucky.predict(sound(STEP))) == "error"
    assert "out of luck" in caplog.text
    assert predictor.waiting_frames == 0


class _NaN:
    """A model gone wrong."""

    def __init__(self, model: Model) -> None:
        self.info = model.info
        self._run = model.run

    def run(self, audio: Floats, reference: Floats, state: Floats) -> tuple[Floats, Floats]:
        probabilities, next_state = self._run(audio, reference, state)
        return probabilities * np.nan, next_state


async def test_an_answer_that_is_no_number_is_a_failure(
    tiny: OnnxModel, caplog: pytest.LogCaptureFixture
) -> None:
    async with Predictor(_NaN(tiny)) as predictor:
        assert await failure(predictor.stream().predict(sound(STEP))) == "error"
    assert "NaN" in caplog.text


async def test_overload_ends_the_stream_that_asked_too_much(
    predictor: Predictor, gated: GatedModel
) -> None:
    held = await hold(predictor, gated)
    patient, greedy = predictor.stream(), predictor.stream()
    answer = patient.predict(sound(STEP))
    waiting = greedy.predict(sound(900))
    assert await failure(greedy.predict(sound(100))) == "overload"
    assert await failure(waiting) == "overload"
    assert predictor.waiting_frames == 1 + STEP
    gated.let_go()
    gated.let_go()
    assert len((await answer).frames) == STEP
    await held


# ------------------------------------------------------------------ streams


async def test_a_fork_goes_on_from_what_was_heard(
    predictor: Predictor, gated: GatedModel, tiny: OnnxModel
) -> None:
    stream = predictor.stream()
    prefix = stream.predict(sound(40))
    assert await gated.begun() == (1, 40)
    gated.let_go()
    await prefix
    fork = stream.fork()
    ends = [stream.predict(sound(STEP, 1)), fork.predict(sound(STEP, 2))]
    assert await gated.begun() == (2, STEP)
    gated.let_go()
    for i, end in enumerate(ends):
        alone = SyncPredictor(tiny).stream()
        alone.predict(sound(40))
        assert_close((await end).frames, alone.predict(sound(STEP, i + 1)).frames)


async def test_a_fork_of_what_is_not_heard_yet_hears_it_too(
    predictor: Predictor, gated: GatedModel, tiny: OnnxModel
) -> None:
    stream = predictor.stream()
    running = stream.predict(sound(STEP, 1))
    assert await gated.begun() == (1, STEP)
    waiting = stream.predict(sound(STEP, 2))
    fork = stream.fork()
    stream.close()
    answer = fork.predict(sound(STEP, 3))
    gated.let_go()
    assert await gated.begun() == (1, 3 * STEP)
    gated.let_go()
    alone = SyncPredictor(tiny).stream().predict(b"".join(sound(STEP, i) for i in (1, 2, 3)))
    assert_close((await answer).frames, alone.frames[-STEP:])
    assert running.cancelled()
    assert waiting.cancelled()
    assert predictor.waiting_frames == 0


async def test_a_fork_of_a_stream_that_is_over_is_over(predictor: Predictor) -> None:
    stream = predictor.stream()
    stream.close()
    assert await failure(stream.fork().predict(sound(STEP))) == "error"


async def test_a_cancelled_prediction_loses_its_answer_only(
    predictor: Predictor, gated: GatedModel, tiny: OnnxModel
) -> None:
    stream = predictor.stream()
    answers = [stream.predict(step) for step in cut(sound(8), STEP)]
    answers[0].cancel()
    assert await gated.begun() == (1, 8)
    gated.let_go()
    whole = SyncPredictor(tiny).stream().predict(sound(8))
    assert_close((await answers[1]).frames, whole.frames[STEP:])


@pytest.mark.parametrize("size", [0, 1, 799, 801])
async def test_audio_that_is_no_whole_frames_is_the_callers_mistake(
    predictor: Predictor, size: int
) -> None:
    with pytest.raises(ValueError, match=f"audio of {size} bytes"):
        predictor.stream().predict(bytes(size))


async def test_a_reference_of_another_length_is_the_callers_mistake(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="800 bytes of reference beside 1600"):
        predictor.stream().predict(bytes(1600), bytes(800))


# ------------------------------------------------------------------ the end


async def test_closing_in_mid_prediction_fails_what_is_due_and_leaves_no_thread(
    gated: GatedModel,
) -> None:
    predictor = Predictor(gated)
    running = await hold(predictor, gated)
    waiting = predictor.stream().predict(sound(STEP))
    closing = asyncio.create_task(predictor.close())
    assert await failure(running) == "error"
    assert await failure(waiting) == "error"
    assert threads() == ["bargein-predictor"]
    gated.let_go()
    await closing
    assert not threads()
    assert await failure(predictor.stream().predict(sound(STEP))) == "error"
    await predictor.close()


async def test_closing_at_rest_leaves_no_thread(tiny: OnnxModel) -> None:
    async with Predictor(tiny) as predictor:
        await predictor.stream().predict(sound(STEP))
    assert not threads()


# ------------------------------------------------------------------ without an event loop


def test_a_synchronous_stream_hears_pieces_as_the_whole_and_forks() -> None:
    predictor = SyncPredictor.open()
    whole, pieces = predictor.stream().predict(sound(48)), predictor.stream()
    first = pieces.predict(sound(48)[: 44 * FRAME_BYTES])
    fork = pieces.fork()
    rest = sound(48)[44 * FRAME_BYTES :]
    last = pieces.predict(rest)
    assert_close(first.frames + last.frames, whole.frames)
    assert_close(fork.predict(rest).frames, last.frames)
    assert predictor.info.name
