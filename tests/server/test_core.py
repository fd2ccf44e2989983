"""The core without I/O: numbering, times, markers; the same inputs, the same bytes."""

import pytest
from bargein_protocol import messages
from bargein_protocol.codec import encode
from bargein_protocol.errors import ErrorCode, ProtocolError, WarningCode
from bargein_protocol.messages import ServerMessage
from bargein_protocol.options import Options
from bargein_server.detection import inputs
from bargein_server.detection.inputs import ClassProbabilities, Input, Prediction
from bargein_server.detection.outputs import RequestPrediction, StreamEnded
from bargein_server.models.vads import make_vad
from bargein_server.sessions.core import SessionCore
from bargein_server.sessions.markers import to_input
from hypothesis import given
from hypothesis import strategies as st
from support.sounds import silence, voice

OPTIONS = Options(threshold=0.5)


def new_core() -> SessionCore:
    return SessionCore(
        "s", OPTIONS, defaults=OPTIONS, vad=make_vad, two_tracks=False, recording="s.bargein"
    )


def play(core: SessionCore, story: list[Input]) -> list[ServerMessage]:
    """Feed a story; the model answers each question at once that it is an interruption."""
    said: list[ServerMessage] = []
    waiting = list(story)
    while waiting:
        for output in core.handle(waiting.pop(0)):
            if isinstance(output, RequestPrediction):
                waiting.insert(0, answer(output))
            elif not isinstance(output, StreamEnded):
                said.append(output)
    return said


def answer(request: RequestPrediction) -> Prediction:
    row = ClassProbabilities(0.8, 0.05, 0.05, 0.05, 0.05)
    frames = (row,) * (len(request.audio) // 800)
    return Prediction(request.overlap_id, request.epoch, request.at, frames, inference_us=1500)


STORY: list[Input] = [
    inputs.AgentStarted(0),
    inputs.UserAudio(silence(1.5)),
    inputs.UserAudio(voice(0.4)),
    inputs.SessionEnded(),
]


def test_positions_become_milliseconds() -> None:
    said = play(new_core(), STORY)
    opened = next(m for m in said if isinstance(m, messages.OverlapOpened))
    verdict = next(m for m in said if isinstance(m, messages.Interruption))
    assert verdict.onset_ms == opened.onset_ms
    assert verdict.detection_delay_ms == verdict.at_ms - verdict.onset_ms
    assert verdict.inference_ms == 1.5
    closed = said[-1]
    assert isinstance(closed, messages.SessionClosed)
    assert closed.summary.recording == "s.bargein"
    assert closed.summary.interruptions == 1


def test_everything_said_is_numbered_once() -> None:
    core = new_core()
    first = core.announce(messages.Warning(code=WarningCode.AUDIO_FAST.code, message="", at_ms=0))
    said = play(core, STORY)
    assert [message.seq for message in [first, *said]] == list(range(1, len(said) + 2))


@given(st.lists(st.sampled_from(STORY[:-1]), max_size=6))
def test_the_same_inputs_give_the_same_bytes(story: list[Input]) -> None:
    once, again = (play(new_core(), story) for _ in range(2))
    assert [encode(message) for message in once] == [encode(message) for message in again]


def test_it_waits_only_while_time_matters() -> None:
    core = new_core()
    waiting = [core.waiting]
    for event in (inputs.UserAudio(voice(0.3)), inputs.Tick(16_000)):
        core.handle(event)
        waiting.append(core.waiting)
    assert waiting == [False, True, False]


NOW = 20 * 16_000


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        (messages.AgentStarted(), inputs.AgentStarted(NOW)),
        (messages.AgentStarted(at_ms=10_000), inputs.AgentStarted(NOW // 2)),
        (messages.AgentStopped(at_ms=21_000), inputs.AgentStopped(NOW + 16_000)),
        (messages.OverlapEnded(at_ms=19_999.5), inputs.OverlapEnded(NOW - 8)),
        (
            messages.OverlapStarted(at_ms=20_000, speech_duration_ms=50),
            inputs.OverlapStarted(NOW, 800),
        ),
        (
            messages.Transcript(id="t", text="x"),
            inputs.Transcript("t", "x", None, None, final=True),
        ),
        (
            messages.Transcript(id="t", text="x", start_ms=1000, end_ms=2000, final=False),
            inputs.Transcript("t", "x", 16_000, 32_000, final=False),
        ),
    ],
)
def test_markers_become_inputs(marker: object, expected: Input) -> None:
    assert to_input(marker, NOW) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "marker",
    [
        messages.AgentStarted(at_ms=9_999),
        messages.AgentStopped(at_ms=21_001),
        messages.OverlapStarted(at_ms=30_000),
        messages.Transcript(id="t", text="x", end_ms=30_000),
    ],
)
def test_markers_of_another_time_are_refused(marker: object) -> None:
    with pytest.raises(ProtocolError) as refused:
        to_input(marker, NOW)  # type: ignore[arg-type]
    assert refused.value.code is ErrorCode.INVALID_MARKER
