"""The detector's small parts, each with literal numbers."""

import numpy as np
import pytest
from bargein_protocol.options import Options
from bargein_server.detection.agenda import Agenda
from bargein_server.detection.agent import AgentTurn
from bargein_server.detection.evidence import KEPT, Evidence
from bargein_server.detection.inputs import (
    AgentStarted,
    AgentStopped,
    OptionsChanged,
    OverlapStarted,
    UserAudio,
)
from bargein_server.detection.overlap import TRANSITIONS, UNDECIDED, OverlapState
from bargein_server.detection.speech import MarkedSpeech, SpeechChange, SpeechGate
from bargein_server.detection.timing import Timing
from bargein_server.detection.tracks import REFERENCE_SLACK, REMEMBERED, Tracks
from bargein_server.detection.vad import WebrtcVad
from bargein_server.detection.window import AudioHistory
from support.echo import Found
from support.traces import make_detector, probabilities


def test_history_reads_what_it_holds_and_silence_elsewhere() -> None:
    history = AudioHistory()
    history.append(b"\1\0\2\0\3\0")
    history.silence(1)
    history.append(b"\5\0")
    history.forget_before(1)
    assert (history.start, history.end) == (1, 5)
    assert history.read(-1, 7) == bytes(4) + b"\2\0\3\0\0\0\5\0" + bytes(4)
    assert history.read(2, 3) == b"\3\0"
    assert history.read(7, 9) == bytes(4)


def test_history_forgets_no_further_than_its_end() -> None:
    history = AudioHistory()
    history.append(bytes(20))
    history.forget_before(50)
    assert (history.start, history.end) == (10, 10)


def test_history_holds_no_hour_of_silence() -> None:
    history = AudioHistory()
    history.append(b"\1\0")
    history.silence(3600 * 16_000)
    history.append(b"\2\0")
    assert history.end == 3600 * 16_000 + 2
    assert history.end - history.start == 1
    assert history.read(history.end - 2, history.end) == b"\0\0\2\0"
    assert history.read(0, 1) == b"\0\0", "nobody asks any more"


def test_the_agent_track_is_in_step_from_its_first_sound_on() -> None:
    tracks = Tracks(Found())
    assert tracks.agent is not None
    tracks.user.silence(960)
    tracks.append_agent(b"\1\0" * 320)
    assert tracks.agent.read(958, 962) == bytes(4) + b"\1\0" * 2
    tracks.user.silence(320 + REFERENCE_SLACK)
    tracks.append_agent(b"\2\0" * 320)  # late, but not by more than jitter
    assert tracks.agent.read(1279, 1281) == b"\1\0\2\0"
    tracks.user.silence(640)
    tracks.append_agent(b"\3\0")
    assert tracks.agent.read(tracks.user.end, tracks.agent.end) == b"\3\0"


def test_a_young_session_was_before_as_it_is_in_its_beginning() -> None:
    tracks = Tracks(Found())
    tracks.user.append(b"\1\0\2\0\3\0\7\0")
    user, agent = tracks.read(-5, 4, onset=3)
    assert user[::2] == bytes([2, 3, 1, 2, 3, 1, 2, 3, 7])
    assert agent == bytes(18)
    assert tracks.read(1, 4, onset=3) == (b"\2\0\3\0\7\0", bytes(6))


def test_the_reference_waits_for_an_echo_that_comes_late() -> None:
    found = iter([50 * 16, None, 300 * 16, 310 * 16, 330 * 16, 250 * 16])
    tracks = Tracks(Found(lambda _user, _agent: next(found)))
    assert not tracks.align(0), "the model knows it like this"
    assert not tracks.align(199 * 16), "it was looked for just before"
    assert not tracks.align(200 * 16), "not found"
    tracks.append_agent(b"\1\0" * 16_000)
    assert tracks.align(400 * 16)
    assert starts(tracks, 265), "300 - 35 ms"
    assert not tracks.align(600 * 16), "45 ms behind what is read now"
    assert tracks.align(800 * 16), "65 ms behind it"
    assert starts(tracks, 295)
    assert tracks.align(1000 * 16), "before it"
    assert starts(tracks, 215)


class Noted(Found):
    """Notes what it is given, each sample as a number, and gives the user's audio back halved."""

    def __init__(self) -> None:
        super().__init__(lambda _user, _agent: 100 * 16)
        self.told: list[tuple[str, list[int]]] = []

    def forget(self) -> None:
        self.told.append(("forget", []))

    def begin(self, agent: bytes) -> None:
        self.told.append(("begin", values(agent)))

    def clean(self, user: bytes, agent: bytes) -> bytes:
        self.told.append(("clean", values(agent)))
        return np.asarray(np.frombuffer(user, "<i2") // 2).tobytes()


def values(pcm: bytes) -> list[int]:
    numbers: list[int] = np.frombuffer(pcm, "<i2").tolist()
    return numbers


def test_the_echo_is_taken_out_of_what_is_read() -> None:
    """By what was played when it came; where reading begins anew, after what was played before."""
    echo = Noted()
    tracks, lag, before = Tracks(echo), 65 * 16, REMEMBERED
    counted = np.arange(8000)
    tracks.append_agent(counted.astype("<i2").tobytes())
    tracks.user.append((2 * counted).astype("<i2").tobytes())
    assert tracks.align(0)
    user, reference = tracks.read(6000, 6400, onset=6000)
    assert values(user) == [*range(6000, 6400)]
    assert values(reference or b"") == [*range(6000 - lag, 6400 - lag)]
    tracks.read(6400, 6800, onset=6000)
    tracks.read(6400, 6800, onset=6000)
    asked = [(what, (played[0], played[-1] + 1) if played else None) for what, played in echo.told]
    assert asked == [
        ("forget", None),
        ("begin", (6000 - lag - before, 6000 - lag)),
        ("clean", (6000 - lag, 6400 - lag)),
        ("clean", (6400 - lag, 6800 - lag)),
        ("begin", (6400 - lag - before, 6400 - lag)),
        ("clean", (6400 - lag, 6800 - lag)),
    ]


def starts(tracks: Tracks, at_ms: int) -> bool:
    """Whether the reference is read to begin then."""
    _, reference = tracks.read(at_ms * 16 - 1, at_ms * 16 + 1, onset=0)
    return reference == b"\0\0\1\0"


def hear(gate: SpeechGate, frames: str, start: int = 0) -> list[tuple[SpeechChange, int]]:
    """Feed 10 ms frames written as a string, `x` = voiced; returns the changes and when."""
    changes: list[tuple[SpeechChange, int]] = []
    for index, frame in enumerate(frames, start + 1):
        change = gate.hear(voiced=frame == "x", end=index * 160)
        if change is not SpeechChange.NONE:
            changes.append((change, index * 160))
    return changes


def test_an_onset_takes_enough_voiced_frames_and_is_dated_back_to_the_first() -> None:
    gate = SpeechGate(160, onset=3 * 160, hangover=5 * 160)
    assert hear(gate, "..x.x..........") == []
    assert hear(gate, "x.x.x", start=15) == [(SpeechChange.ONSET, 20 * 160)]
    assert gate.onset == 15 * 160


def test_an_offset_follows_the_hangover_and_names_the_last_sound() -> None:
    gate = SpeechGate(160, onset=2 * 160, hangover=5 * 160)
    assert hear(gate, "xxxx.....") == [(SpeechChange.ONSET, 320), (SpeechChange.OFFSET, 9 * 160)]
    assert gate.sound_end == 4 * 160


def test_a_pause_shorter_than_the_hangover_is_no_offset() -> None:
    gate = SpeechGate(160, onset=2 * 160, hangover=5 * 160)
    assert hear(gate, "xxx....xxx....xxx") == [(SpeechChange.ONSET, 320)]


def test_a_hangover_shorter_than_an_onset_makes_no_second_sound_of_the_first() -> None:
    gate = SpeechGate(160, onset=4 * 160, hangover=2 * 160)
    assert hear(gate, "xxxxxx..........") == [
        (SpeechChange.ONSET, 4 * 160),
        (SpeechChange.OFFSET, 8 * 160),
    ]
    assert gate.resting


def test_what_was_heard_in_the_hangover_counts_for_the_next_onset() -> None:
    gate = SpeechGate(160, onset=4 * 160, hangover=9 * 160)
    assert hear(gate, "xxxx........x")[-1] == (SpeechChange.OFFSET, 13 * 160)
    assert hear(gate, "xxx", start=13) == [(SpeechChange.ONSET, 16 * 160)]
    assert gate.onset == 12 * 160


def test_marked_speech_is_idempotent() -> None:
    speech = MarkedSpeech()
    speech.finish(5)
    speech.begin(100)
    speech.begin(200)
    speech.hear(400)
    assert (speech.sounding, speech.onset, speech.sound_end) == (True, 100, 400)
    speech.finish(350)
    speech.finish(500)
    assert (speech.sounding, speech.sound_end) == (False, 350)


def test_an_agenda_gives_markers_at_their_moment_in_order() -> None:
    agenda = Agenda()
    for marker in (AgentStopped(300), AgentStarted(200), AgentStopped(200), AgentStarted(300)):
        agenda.add(marker)
    assert agenda.deadline == 200
    assert list(agenda.due(299)) == [AgentStarted(200), AgentStopped(200)]
    assert list(agenda.due(300)) == [AgentStopped(300), AgentStarted(300)]
    assert agenda.deadline is None


def test_a_turn_told_late_begins_no_earlier_than_the_last_one_ended() -> None:
    agent = AgentTurn()
    assert agent.start(100)
    assert agent.stop(500)
    assert agent.start(300)
    assert agent.started == 500


def test_evidence_leaves_out_the_pre_roll_and_wants_frames_in_a_row() -> None:
    evidence = Evidence(onset=1000, min_frames=2)
    evidence.add((probabilities(1.0), probabilities(1.0), probabilities(0.3)), end=1600)
    assert evidence.probabilities == (1.0, 0.3)
    assert evidence.best == 0.3
    evidence.add((probabilities(0.8), probabilities(0.6)), end=2400)
    assert evidence.best == 0.6


def test_evidence_of_a_sound_that_goes_on_stays_bounded() -> None:
    evidence = Evidence(onset=0, min_frames=2)
    evidence.add((probabilities(0.9),) * 2, end=800)
    for number in range(1, 100):
        evidence.add((probabilities(number / 1000),) * 40, end=800 + number * 16_000)
    assert len(evidence.probabilities) == KEPT
    assert evidence.probabilities[-1] == 0.099
    assert evidence.probabilities[0] == 0.09
    assert evidence.best == 0.9


@pytest.mark.parametrize(
    ("rest", "reason"),
    [("backchannel", "backchannel"), ("vocal", "noise"), ("noise", "noise"), ("echo", "echo")],
)
def test_the_reason_is_the_likeliest_class(rest: str, reason: str) -> None:
    evidence = Evidence(onset=0, min_frames=2)
    evidence.add((probabilities(0.4, rest),) * 3, end=1200)
    assert evidence.reason == reason


def test_no_overlap_gets_a_second_verdict_by_the_table() -> None:
    for state, events in TRANSITIONS.items():
        for target in events.values():
            assert state != OverlapState.CLOSED
            if state not in UNDECIDED:
                assert target is OverlapState.CLOSED


def test_the_threshold_must_be_resolved() -> None:
    with pytest.raises(ValueError, match="threshold"):
        Timing.of(Options())


def test_webrtc_hears_a_hum_and_not_silence() -> None:
    vad = WebrtcVad(aggressiveness=1)
    assert not any(vad.is_speech(bytes(320)) for _ in range(20))
    buzz = b"".join(
        (12000 * (1 if (n // 50) % 2 else -1)).to_bytes(2, "little", signed=True)
        for n in range(160)
    )
    assert any(vad.is_speech(buzz) for _ in range(20))
    vad.reset()
    assert not vad.is_speech(bytes(320))


def test_the_clients_word_leaves_nothing_behind_when_the_vad_takes_over() -> None:
    detector = make_detector(overlap="client")
    detector.handle(UserAudio(bytes(32_000)))
    detector.handle(OverlapStarted(detector.position, 0))
    detector.handle(OptionsChanged(Options(threshold=0.5)))
    detector.handle(UserAudio(bytes(32_000)))
    assert not detector.waiting
