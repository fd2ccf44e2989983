"""What is heard of a window: where its sound begins, and what the model still has to hear."""

import numpy as np
import pytest
from bargein_protocol.options import Options
from bargein_server.detection.timing import FRAME
from bargein_server.detection.vad import WebrtcVad
from bargein_server.livekit.hearing import FRAME_BYTES, Hearing
from bargein_server.livekit.judgement import Rule, Source
from bargein_server.livekit.speech import WindowSpeech
from bargein_server.models.onnx import OnnxModel
from bargein_server.models.sync import SyncPredictor, SyncStream
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sounds import growing, silence, voice

RULE = Rule(threshold=0.5, min_frames=2, vad_min_speech=8000)


def ears() -> WindowSpeech:
    return WindowSpeech(WebrtcVad(2), Options())


def onset_ms(pcm: bytes) -> float:
    speech = ears()
    speech.hear(pcm)
    return speech.onset(len(pcm) // 2) / 16


class Listener:
    """A hearing and the model behind it, on the test's own thread."""

    def __init__(self, model: OnnxModel) -> None:
        self.hearing = Hearing(ears)
        self.asked: list[tuple[bool, int]] = []
        self._predictor = SyncPredictor(model)
        self._streams: dict[int, SyncStream] = {}

    def hear(self, pcm: bytes) -> tuple[float, ...]:
        self.hearing.hear(pcm)
        part = self.hearing.part()
        fresh = part.stream not in self._streams
        self.asked.append((fresh, len(part.audio) // FRAME_BYTES))
        stream = self._streams.setdefault(part.stream, self._predictor.stream())
        if part.audio:
            self.hearing.learn(part, stream.predict(part.audio).frames)
        return self.hearing.heard.probabilities


def test_the_onset_is_found_where_the_sound_begins() -> None:
    assert onset_ms(silence(1.0) + voice(0.4)) == pytest.approx(1000, abs=40)
    assert onset_ms(silence(0.3) + voice(0.4)) == pytest.approx(300, abs=40)
    assert onset_ms(voice(0.6)) == pytest.approx(0, abs=40)


def test_of_two_sounds_the_latest_counts_and_a_short_pause_does_not_part_them() -> None:
    apart = silence(0.4) + voice(0.3) + silence(0.8) + voice(0.4)
    assert onset_ms(apart) == pytest.approx(1500, abs=60)
    together = silence(0.4) + voice(0.3) + silence(0.3) + voice(0.4)
    assert onset_ms(together) == pytest.approx(400, abs=60)


def test_a_sound_that_the_vad_misses_begins_where_the_clients_cut_says(tiny: OnnxModel) -> None:
    quiet = silence(1.0) + voice(0.5, level=0.0005)
    speech = ears()
    speech.hear(quiet)
    assert not speech.found
    assert onset_ms(quiet) == 1000
    heard = Listener(tiny).hear(quiet)
    assert heard[:40] == (0.0,) * 40
    assert all(value > 0 for value in heard[40:])
    assert onset_ms(quiet[-16_000:]) == 0, "too short to hold a pre-roll: all of it counts"


def test_frames_before_the_onset_are_zero_and_all_after_it_are_the_models(tiny: OnnxModel) -> None:
    listener = Listener(tiny)
    heard = listener.hear(silence(1.0) + voice(0.5))
    onset = listener.hearing.heard.onset
    assert len(heard) == 60
    assert [value > 0 for value in heard] == [(i + 1) * FRAME > onset for i in range(60)]


def test_the_model_hears_one_second_before_the_onset_and_no_more(tiny: OnnxModel) -> None:
    listener = Listener(tiny)
    pcm = silence(0.2) + voice(0.3) + silence(1.6) + voice(0.4)
    heard = listener.hear(pcm)
    onset = listener.hearing.heard.onset
    assert onset / 16 == pytest.approx(2100, abs=60)
    ((fresh, frames),) = listener.asked
    assert fresh
    assert frames == len(heard) - (onset - 16_000) // FRAME
    assert len(heard) == 100


def test_a_window_that_extends_the_last_one_costs_only_what_is_new(tiny: OnnxModel) -> None:
    listener = Listener(tiny)
    for pcm in growing(silence(1.0) + voice(1.0), first_s=1.2):
        listener.hear(pcm)
    assert listener.asked[0] == (True, 48)
    assert listener.asked[1:] == [(False, 4)] * 8


def test_the_same_window_again_costs_nothing(tiny: OnnxModel) -> None:
    listener = Listener(tiny)
    pcm = silence(1.0) + voice(0.5)
    assert listener.hear(pcm) == listener.hear(pcm)
    assert listener.asked[1] == (False, 0)


def test_windows_that_slide_cost_only_what_is_new_and_lose_nothing(tiny: OnnxModel) -> None:
    sliding, whole = Listener(tiny), Listener(tiny)
    audio = silence(1.0) + voice(5.0)
    heard = [sliding.hear(pcm) for pcm in growing(audio, first_s=1.2)][-1]
    assert sliding.asked == [(True, 48), *[(False, 4)] * 48]
    assert heard == pytest.approx(whole.hear(audio)[-120:], abs=1e-4)
    assert sliding.hearing.heard.onset == 0
    assert sliding.hearing.heard.sounding > 75_000


@pytest.mark.parametrize("hop_s", [0.01, 0.12, 0.1013125, 1.4])
def test_windows_slide_by_any_number_of_samples(tiny: OnnxModel, hop_s: float) -> None:
    sliding = Listener(tiny)
    windows = growing(silence(1.0) + voice(4.0), first_s=2.95, hop_s=hop_s)[:12]
    heard = [sliding.hear(pcm) for pcm in windows][-1]
    assert [fresh for fresh, _ in sliding.asked[1:]] == [False] * (len(sliding.asked) - 1)
    assert len(heard) == 120
    assert list(heard) == sorted(heard), "the louder and longer, the surer"


def test_another_turn_of_the_agent_is_another_sequence(tiny: OnnxModel) -> None:
    listener = Listener(tiny)
    first, second = silence(1.0) + voice(0.5), silence(0.9) + voice(0.6, level=0.1)
    listener.hear(first)
    assert listener.hear(second) == Listener(tiny).hear(second)
    assert listener.hear(first[:20_000]) == Listener(tiny).hear(first[:20_000]), "a shorter window"
    assert [fresh for fresh, _ in listener.asked] == [True, True, True]


def test_digital_silence_joins_no_two_sequences(tiny: OnnxModel) -> None:
    listener = Listener(tiny)
    listener.hear(voice(1.0) + bytes(32_000))
    following = bytes(32_000) + voice(0.5)
    assert listener.hear(following) == Listener(tiny).hear(following)


@given(
    pieces=st.lists(
        st.tuples(st.sampled_from(["voice", "silence", "hiss"]), st.integers(0, 12_000)),
        min_size=1,
        max_size=6,
    ),
    cuts=st.lists(st.integers(0, 60_000), min_size=1, max_size=8),
)
@settings(max_examples=60)
def test_what_is_known_of_the_past_changes_no_answer(
    tiny: OnnxModel, pieces: list[tuple[str, int]], cuts: list[int]
) -> None:
    make = {
        "voice": voice(1.0),
        "silence": silence(1.0),
        "hiss": np.random.default_rng(3).integers(-900, 900, 16_000).astype("<i2").tobytes(),
    }
    audio = b"".join(make[kind][: 2 * samples] for kind, samples in pieces)
    windows = [audio[: 2 * end] for end in cuts]
    sharing = Listener(tiny)
    for pcm in windows:
        shared, alone = sharing.hear(pcm), Listener(tiny).hear(pcm)
        assert shared == pytest.approx(alone, abs=1e-4)
        assert len(shared) == len(pcm) // FRAME_BYTES


def test_after_a_lost_stream_the_window_is_heard_from_the_beginning(tiny: OnnxModel) -> None:
    listener = Listener(tiny)
    pcm = silence(1.0) + voice(0.5)
    expected = Listener(tiny).hear(pcm)
    listener.hear(pcm[:-3200])
    listener.hearing.forget()
    assert listener.hear(pcm) == expected
    assert listener.asked == [(True, 56), (True, 60)]


def test_an_answer_that_comes_after_its_sequence_is_not_heard(tiny: OnnxModel) -> None:
    hearing, stream = Hearing(ears), SyncPredictor(tiny).stream()
    hearing.hear(silence(1.0) + voice(0.5))
    late = hearing.part()
    hearing.hear(silence(0.3) + voice(0.9, level=0.1))
    hearing.learn(late, stream.predict(late.audio).frames)
    assert set(hearing.heard.probabilities) == {0.0}
    assert hearing.part().stream != late.stream


def test_it_takes_consecutive_frames_after_the_onset(tiny: OnnxModel) -> None:
    listener = Listener(tiny)
    listener.hear(silence(1.0) + voice(0.5))
    heard = listener.hearing.heard
    first = heard.onset // FRAME

    def judged(values: dict[int, float], rule: Rule = RULE) -> bool:
        row = [values.get(index, 0.0) for index in range(heard.frames)]
        judgement = rule.judge(heard._replace(probabilities=tuple(row)))
        assert judgement.source is Source.MODEL
        return judgement.interruption

    assert judged({first: 0.5, first + 1: 0.5})
    assert judged({58: 0.5, 59: 0.9})
    assert not judged({first: 0.5, first + 2: 0.9, first + 4: 0.9}), "not in a row"
    assert not judged({first: 0.4999, first + 1: 0.9})
    assert not judged({first - 2: 0.9, first - 1: 0.9, first: 0.9}), "before the onset"
    once = Rule(threshold=0.5, min_frames=0, vad_min_speech=8000)
    assert not judged({}, once)
    assert judged({first + 3: 0.5}, once)


def test_without_the_model_the_length_of_the_sound_decides(tiny: OnnxModel) -> None:
    listener = Listener(tiny)
    listener.hear(silence(1.0) + voice(0.3))
    short = RULE.judge_by_vad(listener.hearing.heard)
    assert not short.interruption
    assert set(short.probabilities) == {0.0}
    assert len(short.probabilities) == 52
    listener.hear(silence(1.0) + voice(0.7))
    long = RULE.judge_by_vad(listener.hearing.heard)
    assert long.interruption
    assert long.source is Source.VAD
    assert sum(long.probabilities) == pytest.approx(28, abs=2)
    assert set(long.probabilities[:38]) == {0.0}
