"""What is recorded is read back, whole or cut short at any byte."""

import shutil
import threading
import wave
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from bargein_protocol.audio import AudioFormat
from bargein_protocol.codec import encode
from bargein_protocol.messages import (
    ModelInfo,
    ServerInfo,
    ServerMessage,
    SessionCreated,
    SpeechStarted,
    Warning,  # noqa: A004
)
from bargein_protocol.options import Options
from bargein_protocol.recording import Header
from bargein_server.detection.inputs import (
    AgentAudio,
    AgentStarted,
    ClassProbabilities,
    Gap,
    Input,
    OptionsChanged,
    Prediction,
    SessionEnded,
    Tick,
    Transcript,
    UserAudio,
)
from bargein_server.detection.tracks import Tracks
from bargein_server.recording.files import safe_name
from bargein_server.recording.format import Announced
from bargein_server.recording.reader import Entry, RecordingError, read_recording
from bargein_server.recording.recorder import (
    FLUSH_LINES,
    MAX_WRITES_BEHIND,
    Recorder,
    RecorderState,
    wait_for_disk,
)
from hypothesis import given
from hypothesis import strategies as st
from support.echo import Found

MODEL = ModelInfo(name="test", version="1", default_threshold=0.5)
SERVER = ServerInfo(name="bargein", version="0")
OPTIONS = Options(threshold=0.5)


def header(session_id: str = "call-1", *, two_tracks: bool = True) -> Header:
    return Header(
        session_id=session_id,
        started_at="2026-01-02T03:04:05+00:00",
        audio=AudioFormat(tracks=("user", "agent") if two_tracks else ("user",)),
        options=OPTIONS,
        model=MODEL,
        server=SERVER,
        metadata={"room": "7"},
    )


def pcm(samples: int, value: int = 1) -> bytes:
    return value.to_bytes(2, "little", signed=True) * samples


def moved(value: Input) -> int:
    if isinstance(value, UserAudio):
        return len(value.pcm) // 2
    return value.duration if isinstance(value, Gap | Tick) else 0


Happening = Input | ServerMessage
STORY: tuple[Happening, ...] = (
    *(UserAudio(pcm(320, n)) for n in range(1, 120)),
    AgentStarted(at=37_000),
    AgentAudio(pcm(160, 7)),
    UserAudio(pcm(33, 8)),
    Gap(4000),
    UserAudio(pcm(320, 9)),
    Tick(160),
    Warning(code="audio_slow", message="…", at_ms=1.0),
    Transcript("t1", "wait — no", 100, None, final=True),
    OptionsChanged(Options(threshold=0.25)),
    AgentAudio(pcm(320, 10)),
    UserAudio(pcm(320, 11)),
    Prediction(1, 0, 40_000, (ClassProbabilities(0.9, 0.1, 0.0, 0.0, 0.0),), 1234),
    *(UserAudio(pcm(320, n)) for n in range(1, 60)),
    SessionEnded(),
)


def record(directory: Path, story: Sequence[Happening], head: Header | None = None) -> Recorder:
    recorder = Recorder.open(directory, head or header())
    position = 0
    for happening in story:
        if isinstance(happening, Input):
            recorder.input(position, happening)
            position += moved(happening)
        else:
            recorder.announced(happening)
            recorder.event(happening)
    recorder.close().result()
    return recorder


def entries_of(story: Sequence[Happening]) -> list[Entry]:
    entries: list[Entry] = []
    position = 0
    for happening in story:
        if isinstance(happening, Input):
            entries.append(Entry(position, happening))
            position += moved(happening)
        else:
            entries.append(Entry(position, Announced(happening)))
    return entries


def test_everything_is_read_back_frame_by_frame(tmp_path: Path) -> None:
    recorder = record(tmp_path, STORY)
    recording = read_recording(tmp_path / "call-1.bargein")
    assert list(recording.entries()) == entries_of(STORY)
    assert recording.header.recording == recorder.name == "call-1.bargein"
    assert recording.header.metadata == {"room": "7"}


def test_audio_of_no_length_hides_nothing_that_follows(tmp_path: Path) -> None:
    """What is resampled comes in uneven pieces, some of them empty."""
    story: list[Happening] = [UserAudio(pcm(320)), AgentAudio(pcm(320)), AgentAudio(b"")]
    story += [UserAudio(b""), UserAudio(pcm(320)), AgentStarted(at=640), UserAudio(b"")]
    story.append(SessionEnded())
    record(tmp_path, story)
    recording = read_recording(tmp_path / "call-1.bargein")
    assert list(recording.entries()) == entries_of(story)


def test_the_audio_opens_as_wav_with_gaps_as_silence(tmp_path: Path) -> None:
    record(tmp_path, STORY)
    with wave.open(str(tmp_path / "call-1.bargein" / "user.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        samples = file.readframes(file.getnframes())
    gap = 119 * 320 + 33
    assert samples[2 * gap : 2 * (gap + 4000)] == bytes(8000)
    assert samples[2 * (gap + 4000) :].startswith(pcm(320, 9))


def test_agent_audio_lies_where_the_detector_hears_it(tmp_path: Path) -> None:
    record(tmp_path, [UserAudio(pcm(8000)), AgentAudio(pcm(320, 5)), AgentAudio(pcm(320, 6))])
    agent = read_recording(tmp_path / "call-1.bargein").agent
    assert agent == bytes(16_000) + pcm(320, 5) + pcm(320, 6)


def test_the_first_agent_audio_lies_at_its_moment_however_early(tmp_path: Path) -> None:
    record(tmp_path, [UserAudio(pcm(2880)), AgentAudio(pcm(320, 5))])
    agent = read_recording(tmp_path / "call-1.bargein").agent
    assert agent == bytes(2 * 2880) + pcm(320, 5)


def test_of_an_agent_that_runs_ahead_no_more_is_kept_than_the_detector_hears(
    tmp_path: Path,
) -> None:
    story = [AgentAudio(pcm(320, 1 + number)) for number in range(500)]
    record(tmp_path, story)
    tracks = Tracks(Found())
    for one in story:
        tracks.append_agent(one.pcm)
    agent = read_recording(tmp_path / "call-1.bargein").agent
    assert agent is not None
    assert tracks.agent is not None
    assert len(agent) // 2 == tracks.agent.end < 3 * 16_000


def test_equal_frames_share_a_line(tmp_path: Path) -> None:
    record(tmp_path, [UserAudio(pcm(320))] * 250, header(two_tracks=False))
    lines = (tmp_path / "call-1.bargein" / "inputs.jsonl").read_text().splitlines()
    assert len(lines) == 5
    assert lines[0].startswith('{"position":0,"type":"user_audio","start":0,"samples":320,')


def test_events_are_kept_to_the_byte_but_for_secrets(tmp_path: Path) -> None:
    created = SessionCreated(
        seq=1, session_id="s", resume_token="r", attach_token="a",
        options=OPTIONS, model=MODEL, server=SERVER,
    )  # fmt: skip
    started = SpeechStarted(seq=2, at_ms=12.5)
    record(tmp_path, [created, started])
    first, second = read_recording(tmp_path / "call-1.bargein").events
    assert second == encode(started)
    assert first == encode(created).replace(b'"r"', b'""').replace(b'"a"', b'""')
    assert not any(b'"r"' in file.read_bytes() for file in tmp_path.glob("*/*.jsonl"))


@pytest.mark.parametrize(
    ("session_id", "name"),
    [
        ("room:7", "room_7"),
        ("..", "_.."),
        ("a/../b\\c", "a_.._b_c"),
        ("-rf", "_-rf"),
        ("a.b-c_1", "a.b-c_1"),
    ],
)
def test_session_ids_become_safe_names(session_id: str, name: str) -> None:
    assert safe_name(session_id) == name


def test_a_second_session_of_the_same_name_has_its_own_folder(tmp_path: Path) -> None:
    names = [record(tmp_path, STORY[:3]).name for _ in range(3)]
    assert names == ["call-1.bargein", "call-1-2.bargein", "call-1-3.bargein"]


def test_a_second_of_audio_is_on_disk_without_a_close(tmp_path: Path) -> None:
    recorder = Recorder.open(tmp_path, header())
    for number in range(60):
        recorder.input(number * 320, UserAudio(pcm(320, number + 1)))
    other = Recorder.open(tmp_path, header("later"))
    other.close().result()  # the disk has one thread: what was handed to it before is written
    recording = read_recording(tmp_path / "call-1.bargein")
    assert len(recording.user) >= 50 * 640
    assert len(list(recording.entries())) >= 50
    recorder.close().result()


def test_what_a_client_without_audio_is_told_is_on_disk_without_a_close(tmp_path: Path) -> None:
    recorder = Recorder.open(tmp_path, header())
    told = Warning(code="bad_marker", message="not now", at_ms=0)
    for _ in range(FLUSH_LINES):
        recorder.event(told)
    wait_for_disk()
    assert recorder.folder is not None
    assert (recorder.folder / "events.jsonl").read_bytes() == FLUSH_LINES * (encode(told) + b"\n")
    recorder.close().result()


def test_a_disk_that_refuses_turns_the_recorder_off_once(tmp_path: Path) -> None:
    recorder = Recorder.open(tmp_path, header())
    recorder.close().result()
    blocked = tmp_path / "file"
    blocked.write_text("")
    recorder = Recorder.open(blocked, header())
    assert recorder.state is RecorderState.FAILED
    assert recorder.name is None
    reason = recorder.take_failure()
    assert reason is not None
    assert "file" in reason
    assert recorder.take_failure() is None
    recorder.input(0, UserAudio(pcm(320)))
    recorder.event(SpeechStarted(at_ms=0.0))
    recorder.close().result()


def test_a_folder_that_vanishes_turns_the_recorder_off(tmp_path: Path) -> None:
    blocker = Recorder.open(tmp_path, header("blocker"))
    recorder = Recorder.open(tmp_path / "sub", header())
    recorder.close().result()
    shutil.rmtree(tmp_path / "sub")
    late = Recorder(tmp_path / "sub" / "gone.bargein", header())
    for number in range(120):
        late.input(number * 320, UserAudio(pcm(320)))
    blocker.close().result()
    assert late.state is RecorderState.FAILED
    assert late.take_failure() is not None


def test_what_is_no_recording_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"no recording: .*session\.json"):
        read_recording(tmp_path)
    (tmp_path / "session.json").write_text('{"format":"bargein-recording","version":99}')
    with pytest.raises(RecordingError, match="99"):
        read_recording(tmp_path)


@given(cuts=st.fixed_dictionaries({}, optional={
    name: st.floats(0, 1) for name in ("user.wav", "agent.wav", "inputs.jsonl", "events.jsonl")
}))  # fmt: skip
def test_cut_short_anywhere_what_is_left_is_a_beginning(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, cuts: dict[str, float]
) -> None:
    torn = tmp_path_factory.mktemp("torn") / whole.name
    shutil.copytree(whole, torn)
    for name, share in cuts.items():
        data = (torn / name).read_bytes()
        (torn / name).write_bytes(data[: round(len(data) * share)])
    entries = list(read_recording(torn).entries())
    assert entries == entries_of(STORY)[: len(entries)]
    complete = read_recording(whole)
    events = read_recording(torn).events
    assert events == complete.events[: len(events)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whole")
    recorder = record(directory, STORY)
    assert recorder.folder is not None
    return recorder.folder


def test_a_disk_that_falls_behind_counts_as_broken(tmp_path: Path) -> None:
    stuck = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as disk:
        disk.submit(stuck.wait)
        recorder = Recorder.open(tmp_path, header(), disk=disk)
        for number in range(MAX_WRITES_BEHIND + 1):
            recorder.input(number * 16_000, UserAudio(pcm(16_000)))
        stuck.set()
        recorder.close().result()
    assert recorder.take_failure() == f"the disk is {MAX_WRITES_BEHIND} writes behind"
