"""The verdicts do not depend on how the audio was cut into frames."""

from itertools import pairwise

from bargein_server.detection import inputs, outputs
from hypothesis import given
from hypothesis import strategies as st
from support.traces import make_detector, probabilities

MS = 16
cuts = st.lists(st.integers(1, 6000 * MS), max_size=80)
sounds = st.lists(st.tuples(st.integers(0, 5500), st.integers(20, 1500)), max_size=5)


def play(pcm: bytes, positions: list[int], chance: float) -> list[outputs.Output]:
    """Play audio cut at `positions` into a session whose agent speaks; answers come at once."""
    detector = make_detector(backchannel_boundary_ms=None)
    out = detector.handle(inputs.AgentStarted(0))
    for start, end in pairwise([0, *sorted(set(positions)), len(pcm) // 2]):
        said = detector.handle(inputs.UserAudio(pcm[2 * start : 2 * end]))
        out += said
        for request in said:
            if isinstance(request, outputs.RequestPrediction):
                frames = (probabilities(chance),) * (len(request.audio) // 800)
                out += detector.handle(
                    inputs.Prediction(request.overlap_id, request.epoch, request.at, frames, 0)
                )
    return out + detector.handle(inputs.SessionEnded())


def verdicts(said: list[outputs.Output]) -> list[tuple[str, int, int]]:
    """Kind, overlap and onset of each verdict, by overlap: late answers may swap neighbours."""
    kinds = (outputs.Interruption, outputs.NonInterruption)
    found = [(type(o).__name__, o.overlap_id, o.onset) for o in said if isinstance(o, kinds)]
    return sorted(found, key=lambda verdict: verdict[1])


@given(sounds=sounds, cuts=cuts, chance=st.sampled_from([0.1, 0.9]))
def test_ragged_frames_give_the_verdicts_of_even_ones(
    sounds: list[tuple[int, int]], cuts: list[int], chance: float
) -> None:
    pcm = bytearray(2 * 7000 * MS)
    for start, length in sounds:
        pcm[2 * start * MS : 2 * (start + length) * MS] = b"\x10\x20" * length * MS
    even = list(range(20 * MS, 7000 * MS, 20 * MS))
    assert verdicts(play(bytes(pcm), cuts, chance)) == verdicts(play(bytes(pcm), even, chance))


def test_markers_keep_their_order_when_a_frame_ends_between_them() -> None:
    detector = make_detector()
    detector.handle(inputs.UserAudio(bytes(2 * 1000 * MS)))
    detector.handle(inputs.AgentStarted(1000 * MS + 5))  # announced for a moment to come
    detector.handle(inputs.UserAudio(bytes(2 * 20)))  # … which is there, but no whole VAD frame
    detector.handle(inputs.AgentStopped(1000 * MS + 20))
    said = detector.handle(inputs.UserAudio(b"\x10\x20" * 300 * MS))
    assert [type(output) for output in said] == [outputs.SpeechOnset]
