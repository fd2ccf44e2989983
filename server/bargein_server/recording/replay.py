"""Recordings replayed in process: the same inputs into the same core, at any speed.

With the predictions of the recording the same events come out, to the byte. With other settings
or another model the predictions are made anew, and each answer goes in right after its question.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import msgspec
from bargein_protocol import messages
from bargein_protocol.messages import ServerMessage, SessionCreated
from bargein_protocol.options import Options, OptionsUpdate, merge_options
from bargein_protocol.recording import Step, Tape
from msgspec import UNSET
from msgspec.structs import replace

from bargein_server.detection import inputs
from bargein_server.detection.inputs import Input, Prediction, PredictionFailed
from bargein_server.detection.outputs import RequestPrediction, StreamEnded
from bargein_server.models.contract import ModelError
from bargein_server.models.silero import SileroUnavailableError
from bargein_server.models.sync import SyncPredictor, SyncStream
from bargein_server.models.vads import make_vad
from bargein_server.recording.format import Announced, AudioRun
from bargein_server.recording.imported import NOBODY, read_wav
from bargein_server.recording.reader import Recording, RecordingError, read_recording
from bargein_server.sessions.core import SessionCore
from bargein_server.sessions.wire import milliseconds


class Heard(NamedTuple):
    """What a replayed session says, and when."""

    position: int
    message: ServerMessage


class InProcess:
    """The engine of `bargein replay`: reads recordings, and runs the detector on them."""

    errors: ClassVar[tuple[type[Exception], ...]] = (
        RecordingError,
        ModelError,
        SileroUnavailableError,
    )
    """What it raises if a recording cannot be read or replayed; the texts are for people."""

    def __init__(self, path: Path, markers: Path | None = None) -> None:
        """Read a recording, or a WAV file with its markers."""
        self._recording = read_wav(path, markers) if path.is_file() else read_recording(path)

    @property
    def tape(self) -> Tape:
        """What the client did, to do the same again through a server."""
        return to_tape(self._recording)

    def play(
        self, changes: OptionsUpdate | None = None, model: Path | None = None, *, anew: bool = False
    ) -> Iterator[Heard]:
        """Replay; see `play`."""
        return play(self._recording, changes, model, anew=anew)


def play(
    recording: Recording,
    changes: OptionsUpdate | None = None,
    model: Path | None = None,
    *,
    anew: bool = False,
) -> Iterator[Heard]:
    """Everything the session says, as it says it.

    Args:
        recording: what to replay.
        changes: settings that take the place of the recorded ones, from start to end.
        model: an ONNX file to make the predictions with; None: the shipped one.
        anew: make predictions anew even if nothing else asks for it; other settings, another
            model, and recordings without predictions do.

    Raises:
        ProtocolError: `changes` are no legal options.
        ModelError: the model cannot be used.
    """
    if anew or changes or model or recording.header.model.name == NOBODY:
        player: _Player = _Predicting(recording, changes or {}, SyncPredictor.open(model))
    else:
        player = _Player(recording, recording.header.options)
    return player.play()


class _Player:
    """Feeds a recording to a core, its predictions included."""

    def __init__(self, recording: Recording, options: Options) -> None:
        header = recording.header
        self._recording = recording
        self._core = SessionCore(
            header.session_id,
            options,
            defaults=options,
            vad=make_vad,
            two_tracks="agent" in header.audio.tracks,
            recording=header.recording,
        )

    def play(self) -> Iterator[Heard]:
        for entry in self._recording.entries():
            if isinstance(entry.content, Announced):
                message = self._core.announce(self.announced(entry.content.message))
                yield Heard(self._core.position, message)
            else:
                yield from self.hear(entry.content)

    def hear(self, value: Input) -> Iterator[Heard]:
        for output in self._core.handle(value):
            if not isinstance(output, RequestPrediction | StreamEnded):
                yield Heard(self._core.position, output)

    def announced(self, message: ServerMessage) -> ServerMessage:
        return message


class _Predicting(_Player):
    """Makes the predictions anew, under settings of its own."""

    def __init__(
        self, recording: Recording, changes: OptionsUpdate, predictor: SyncPredictor
    ) -> None:
        self._changes = changes
        self._predictor = predictor
        self._recorded_threshold = recording.header.model.default_threshold
        self._streams: dict[int, SyncStream] = {}
        super().__init__(recording, self._changed(recording.header.options))

    def hear(self, value: Input) -> Iterator[Heard]:
        if isinstance(value, Prediction | PredictionFailed):
            return
        if isinstance(value, inputs.OptionsChanged):
            value = inputs.OptionsChanged(self._changed(value.options))
        yield from self._handle(value)

    def announced(self, message: ServerMessage) -> ServerMessage:
        if not isinstance(message, SessionCreated):
            return message
        info = self._predictor.info
        model = messages.ModelInfo(
            name=info.name, version=info.version, default_threshold=info.default_threshold
        )
        return replace(message, options=self._core.options, model=model)

    def _handle(self, value: Input) -> Iterator[Heard]:
        answers: list[Prediction] = []
        for output in self._core.handle(value):
            match output:
                case RequestPrediction():
                    answers.append(self._answer(output))
                case StreamEnded():
                    self._streams.pop(output.overlap_id, None)
                case message:
                    yield Heard(self._core.position, message)
        for answer in answers:
            yield from self._handle(answer)

    def _answer(self, request: RequestPrediction) -> Prediction:
        stream = self._streams.get(request.overlap_id)
        if stream is None or request.fresh:
            stream = self._streams[request.overlap_id] = self._predictor.stream()
        said = stream.predict(request.audio, request.reference)
        return Prediction(
            request.overlap_id, request.epoch, request.at, said.frames, said.inference_us
        )

    def _changed(self, options: Options) -> Options:
        """The options with the changes; a threshold that was the model's is this model's."""
        changed = merge_options(options, self._changes)
        theirs = "threshold" not in self._changes and (
            options.threshold in {None, self._recorded_threshold}
        )
        if theirs or changed.threshold is None:
            return replace(changed, threshold=self._predictor.info.default_threshold)
        return changed


def to_tape(recording: Recording) -> Tape:
    """The recording as its client drove the session."""
    steps = (
        Step(line.position, message)
        for line in recording.lines
        if not isinstance(line.content, AudioRun | Announced)
        and (message := _to_message(line.content)) is not None
    )
    return Tape(
        name=recording.name,
        header=recording.header,
        user=recording.user,
        agent=recording.agent,
        steps=tuple(steps),
        events=recording.events,
    )


def _to_message(value: Input) -> messages.ClientMessage | None:
    """What the client said; None for what it did not say."""
    match value:
        case inputs.Gap() | inputs.Tick():
            return messages.AudioGap(duration_ms=milliseconds(value.duration))
        case inputs.AgentStarted():
            return messages.AgentStarted(at_ms=milliseconds(value.at))
        case inputs.AgentStopped():
            return messages.AgentStopped(at_ms=milliseconds(value.at))
        case inputs.OverlapStarted():
            return messages.OverlapStarted(
                at_ms=milliseconds(value.at),
                speech_duration_ms=milliseconds(value.speech_duration),
            )
        case inputs.OverlapEnded():
            return messages.OverlapEnded(at_ms=milliseconds(value.at))
        case inputs.Transcript():
            return messages.Transcript(
                id=value.id,
                text=value.text,
                start_ms=UNSET if value.start is None else milliseconds(value.start),
                end_ms=UNSET if value.end is None else milliseconds(value.end),
                final=value.final,
            )
        case inputs.OptionsChanged():
            return messages.SessionUpdate(options=msgspec.to_builtins(value.options))
        case _:
            return None
