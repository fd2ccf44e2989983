"""A recording replays to the same bytes; other settings and other sources replay, too."""

import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from bargein_protocol.audio import AudioFormat
from bargein_protocol.codec import encode
from bargein_protocol.messages import (
    Interruption,
    ModelInfo,
    NonInterruption,
    ServerInfo,
    ServerMessage,
    SessionCreated,
    SessionUpdated,
    Warning,  # noqa: A004
)
from bargein_protocol.options import Options, merge_options
from bargein_protocol.recording import Header
from bargein_server.detection.inputs import (
    AgentAudio,
    AgentStarted,
    AgentStopped,
    Gap,
    Input,
    OptionsChanged,
    PredictionFailed,
    SessionEnded,
    Tick,
    Transcript,
    UserAudio,
)
from bargein_server.detection.outputs import RequestPrediction, StreamEnded
from bargein_server.models.sync import SyncPredictor
from bargein_server.models.vads import make_vad
from bargein_server.recording.reader import Recording, RecordingError, read_recording
from bargein_server.recording.recorder import Recorder
from bargein_server.recording.replay import InProcess, play
from bargein_server.recording.script import parse_script
from bargein_server.sessions.core import SessionCore

OPTIONS = merge_options(
    Options(threshold=0.5), {"predictions": True, "backchannel_boundary_ms": None}
)
SERVER = ServerInfo(name="bargein", version="0")


def buzz(duration_ms: int, *, seed: int = 1) -> bytes:
    """Sound that a VAD takes for voice: a pulse train of 120 Hz with some noise."""
    count = duration_ms * 16
    noise = np.random.default_rng(seed).standard_normal(count) * 300
    pulses = np.where(np.arange(count) % 133 < 20, 9000, -1500)
    return (pulses + noise).astype("<i2").tobytes()


def silence(duration_ms: int) -> bytes:
    return bytes(duration_ms * 32)


def frames(pcm: bytes, size: int = 640) -> list[Input]:
    return [UserAudio(pcm[at : at + size]) for at in range(0, len(pcm), size)]


class LiveSession:
    """A session as the shell drives it: predictions come late, everything is recorded."""

    def __init__(self, directory: Path, *, two_tracks: bool = True) -> None:
        self.predictor = SyncPredictor.open()
        info = self.predictor.info
        self.model = ModelInfo(
            name=info.name, version=info.version, default_threshold=info.default_threshold
        )
        header = Header(
            session_id="live",
            started_at="2026-01-02T03:04:05+00:00",
            audio=AudioFormat(tracks=("user", "agent") if two_tracks else ("user",)),
            options=OPTIONS,
            model=self.model,
            server=SERVER,
        )
        self.recorder = Recorder.open(directory, header)
        self.core = SessionCore(
            "live", OPTIONS, defaults=OPTIONS, vad=make_vad, two_tracks=two_tracks,
            recording=self.recorder.name,
        )  # fmt: skip
        self.stream = self.predictor.stream()
        self.waiting: list[RequestPrediction] = []
        self.sent: list[ServerMessage] = []
        created = SessionCreated(
            session_id="live", resume_token="r", attach_token="a",
            options=OPTIONS, model=self.model, server=SERVER,
        )  # fmt: skip
        self.say(created)

    def say(self, message: ServerMessage) -> None:
        self.recorder.announced(message)
        self.send(self.core.announce(message))

    def send(self, message: ServerMessage) -> None:
        self.sent.append(message)
        self.recorder.event(message)

    def take(self, *values: Input) -> None:
        for value in values:
            self.recorder.input(self.core.position, value)
            for output in self.core.handle(value):
                if isinstance(output, RequestPrediction):
                    self.waiting.append(output)
                elif not isinstance(output, StreamEnded):
                    self.send(output)

    def answer(self) -> None:
        for request in self.waiting[:]:
            self.waiting.remove(request)
            self.take(PredictionFailed(request.overlap_id, request.epoch, request.at, "timeout"))


def tell(session: LiveSession) -> None:
    """A session with something of everything."""
    session.take(*frames(silence(1500)))
    session.take(AgentStarted(at=session.core.position))
    session.take(*frames(silence(1500), 333 * 2))
    session.take(AgentAudio(buzz(100)), *frames(buzz(300)))
    session.say(Warning(code="audio_fast", message="…", at_ms=3300.0))
    session.take(Transcript("t", "wait", None, None, final=True), *frames(buzz(250, seed=2)))
    session.answer()
    session.take(*frames(silence(600)), AgentAudio(buzz(40)), Gap(1600))
    session.take(OptionsChanged(merge_options(OPTIONS, {"hangover_ms": 200})), Tick(320))
    session.take(*frames(buzz(700, seed=3)), AgentStopped(at=session.core.position - 1000))
    session.take(*frames(silence(500)), SessionEnded())
    session.recorder.close().result()


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    tell(LiveSession(tmp_path))
    return read_recording(tmp_path / "live.bargein")


def test_a_recorded_session_replays_to_the_byte(recording: Recording) -> None:
    replayed = tuple(encode(message) for _, message in play(recording))
    assert replayed == recording.events
    assert any(b'"interruption"' in event for event in replayed)
    assert replayed[-1].startswith(b'{"type":"session.closed"')


def test_other_settings_take_effect_from_start_to_end(recording: Recording) -> None:
    said = [message for _, message in play(recording, {"backchannel_boundary_ms": 250})]
    created = said[0]
    assert isinstance(created, SessionCreated)
    assert created.options.backchannel_boundary_ms == 250
    assert created.options.hangover_ms == 400
    (updated,) = (message for message in said if isinstance(message, SessionUpdated))
    assert updated.options.backchannel_boundary_ms == 250
    assert updated.options.hangover_ms == 200


def test_predictions_made_anew_are_the_models_own(recording: Recording) -> None:
    said = [message for _, message in play(recording, anew=True)]
    verdicts = [m for m in said if isinstance(m, Interruption | NonInterruption)]
    assert any(verdict.predictions for verdict in verdicts)
    again = [message for _, message in play(recording, anew=True)]
    assert [verdict_of(m) for m in said] == [verdict_of(m) for m in again]


def verdict_of(message: ServerMessage) -> object:
    return type(message), getattr(message, "at_ms", None), getattr(message, "probabilities", None)


@pytest.mark.parametrize(("rate", "width"), [(8000, 2), (22050, 3), (44100, 4), (16000, 1)])
def test_a_wav_of_any_rate_with_markers_replays(tmp_path: Path, rate: int, width: int) -> None:
    path = tmp_path / "call.wav"
    write_wav(path, silence(1500) + buzz(800) + silence(700), rate, width)
    (tmp_path / "call.txt").write_text(
        "# a call\noptions backchannel_boundary_ms=null hangover_ms=200\n"
        "  500  agent.started\n 2600  gap 300\n 2600  transcript t1 1500 - wait a moment\n"
    )
    engine = InProcess(path)
    messages = [heard.message for heard in engine.play()]
    verdicts = [m for m in messages if isinstance(m, Interruption | NonInterruption)]
    assert len(verdicts) == 1
    assert abs(verdicts[0].onset_ms - 1500) < 120
    closed_ms = getattr(messages[-1], "at_ms", 0)
    assert abs(closed_ms - 3300) <= 10
    assert len(engine.tape.user) == pytest.approx(3300 * 32, abs=4)
    assert [type(step.message).__name__ for step in engine.tape.steps] == [
        "AgentStarted", "AudioGap", "Transcript",
    ]  # fmt: skip


def test_a_stereo_wav_has_the_agent_on_the_right(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    left, right = silence(100) + buzz(100), buzz(200, seed=5)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 16000, 0, "NONE", ""))
        file.writeframes(np.stack([np.frombuffer(s, "<i2") for s in (left, right)], 1).tobytes())
    (tmp_path / "other.txt").write_text("0 agent.started\n")
    tape = InProcess(path, tmp_path / "other.txt").tape
    assert (tape.user, tape.agent) == (left, right)


def test_a_recording_knows_what_its_client_did(recording: Recording, tmp_path: Path) -> None:
    tape = InProcess(tmp_path / recording.name).tape
    assert [type(step.message).__name__ for step in tape.steps] == [
        "AgentStarted", "Transcript", "AudioGap", "SessionUpdate", "AudioGap", "AgentStopped",
    ]  # fmt: skip
    assert tape.events == recording.events


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("abc agent.started", "'abc' is no number"),
        ("inf agent.started", "'inf' is no number"),
        ("0 gap nan", "'nan' is no number"),
        ("100 agent.startd", "no marker is written like this"),
        ("options threshold=2", "threshold"),
        ("5 update threshold", "NAME=VALUE"),
    ],
)
def test_a_marker_file_is_refused_by_its_line(line: str, said: str) -> None:
    with pytest.raises(RecordingError, match=rf"markers, line 2: .*{said}"):
        parse_script(["0 agent.started", line])


def test_no_markers_no_wav_no_recording(tmp_path: Path) -> None:
    for name in ("missing.wav", "missing.bargein"):
        with pytest.raises(RecordingError, match="missing"):
            InProcess(tmp_path / name)
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    with pytest.raises(RecordingError, match=r"no markers.*bad\.txt"):
        InProcess(tmp_path / "bad.wav")
    (tmp_path / "bad.txt").write_text("")
    with pytest.raises(RecordingError, match=r"bad\.wav"):
        InProcess(tmp_path / "bad.wav")


def write_wav(path: Path, pcm: bytes, rate: int, width: int) -> None:
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    moments = np.arange(round(len(samples) * rate / 16000)) * 16000 / rate
    resampled = np.interp(moments, np.arange(len(samples)), samples)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, width, rate, 0, "NONE", ""))
        if width == 1:
            file.writeframes((resampled / 256 + 128).astype(np.uint8).tobytes())
        else:
            scaled = (resampled * 256 ** (width - 2)).astype(int)
            file.writeframes(b"".join(struct.pack("<i", v)[:width] for v in scaled))
