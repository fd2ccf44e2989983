"""Writes one session to disk while it happens, and never stands in its way."""

from collections import deque
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from enum import Enum, auto
from pathlib import Path

from bargein_protocol.codec import encode
from bargein_protocol.messages import ServerMessage
from bargein_protocol.recording import SAMPLE_RATE, Header
from msgspec.structs import replace

from bargein_server.detection.inputs import AgentAudio, Gap, Input, Position, Tick, UserAudio
from bargein_server.detection.tracks import agent_audio_start
from bargein_server.recording.files import Batch, RecordingFiles, make_folder
from bargein_server.recording.format import (
    Announced,
    AudioRun,
    AudioTrack,
    Line,
    format_line,
    without_secrets,
)
from bargein_server.recording.wav import BYTES_PER_SAMPLE

FLUSH_SAMPLES = SAMPLE_RATE
"""At least this often, in audio, everything is handed to the disk."""
FLUSH_LINES = 512
"""And as often as this many inputs came or messages went, for a client without audio."""
MAX_WRITES_BEHIND = 100
"""A disk that is further behind than this many writes counts as broken."""

_disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bargein-recordings")
"""One thread for all recordings of the process: keeps slow disks off the event loop."""


def wait_for_disk() -> None:
    """Return when everything that recorders handed over so far is written."""
    _disk.submit(lambda: None).result()


class RecorderState(Enum):
    """Whether a recorder still writes."""

    WRITING = auto()
    FAILED = auto()
    CLOSED = auto()


class Recorder:
    """Records one session into a folder of its own.

    The session calls it for every input and every message, in the order in which they happened.
    No method but `open` touches the disk in the caller's thread, and none raises: a write that
    fails turns the recorder off, and `take_failure` says so once.
    """

    def __init__(self, folder: Path | None, header: Header, disk: Executor | None = None) -> None:
        self.folder = folder
        """Where the recording lies; None if the folder could not be made."""
        self._state = RecorderState.WRITING
        self._failure: str | None = None
        self._header = header
        self._disk = disk or _disk
        self._files: RecordingFiles | None = None
        self._batch = Batch()
        self._writes: deque[Future[None]] = deque()
        self._run: Line | None = None
        self._position = self._flushed = self._agent_end = 0

    @classmethod
    def open(cls, directory: Path, header: Header, *, disk: Executor | None = None) -> "Recorder":
        """Begin the recording `directory/SESSION_ID.bargein`.

        `disk` does the writing, in order and one thing at a time; by default one thread of its
        own, shared by all recordings of the process.
        """
        try:
            folder = make_folder(directory, header.session_id)
        except OSError as error:
            recorder = cls(None, header, disk)
            recorder._fail(str(error))
            return recorder
        recorder = cls(folder, replace(header, recording=folder.name), disk)
        recorder._flush()
        return recorder

    @property
    def name(self) -> str | None:
        """The recording's name, for the session's summary."""
        return self._header.recording

    @property
    def state(self) -> RecorderState:
        """Whether it still writes."""
        return self._state

    def take_failure(self) -> str | None:
        """Why the recorder turned itself off; None if it did not, or was asked before."""
        failure, self._failure = self._failure, None
        return failure

    def input(self, position: Position, value: Input) -> None:
        """Record an input; `position` is the session's before it."""
        if self._state is not RecorderState.WRITING:
            return
        self._position = position
        match value:
            case UserAudio(pcm=pcm):
                self._audio(UserAudio, position, pcm)
                self._position += len(pcm) // BYTES_PER_SAMPLE
            case AgentAudio(pcm=pcm):
                start = agent_audio_start(self._agent_end, position)
                if start is not None:  # else the detector does not hear it either
                    self._audio(AgentAudio, start, pcm)
                    self._agent_end = start + len(pcm) // BYTES_PER_SAMPLE
            case Gap(duration=duration) | Tick(duration=duration):
                self._line(Line(position, value))
                self._position += duration
            case _:
                self._line(Line(position, value))
        self._flush_if_due()

    def announced(self, message: ServerMessage) -> None:
        """Record that the session said something of its own accord, before it is an `event`."""
        if self._state is RecorderState.WRITING:
            self._line(Line(self._position, Announced(without_secrets(message))))
            self._flush_if_due()

    def event(self, message: ServerMessage) -> None:
        """Record a message as it goes to the client."""
        if self._state is RecorderState.WRITING:
            self._batch.events.append(encode(without_secrets(message)) + b"\n")
            self._flush_if_due()

    def close(self) -> Future[None]:
        """Write what is left and close the files; the result is there when both are done."""
        if self._state is RecorderState.WRITING:
            self._flush()
            self._state = RecorderState.CLOSED
        return self._disk.submit(self._close_files)

    def _audio(self, track: AudioTrack, start: Position, pcm: bytes) -> None:
        parts = self._batch.user if track is UserAudio else self._batch.agent
        parts.append((start, pcm))
        self._add_to_run(AudioRun(track, start, len(pcm) // BYTES_PER_SAMPLE, 1))

    def _add_to_run(self, frame: AudioRun) -> None:
        line = self._run
        if line is not None and isinstance(run := line.content, AudioRun) and _follows(run, frame):
            content = AudioRun(run.track, run.start, run.samples, run.times + 1)
            self._run = Line(line.position, content)
            return
        self._end_run()
        self._run = Line(self._position, frame)

    def _line(self, line: Line) -> None:
        self._end_run()
        self._batch.inputs.append(format_line(line))

    def _end_run(self) -> None:
        if self._run is not None:
            self._batch.inputs.append(format_line(self._run))
            self._run = None

    def _flush_if_due(self) -> None:
        due = self._position - self._flushed >= FLUSH_SAMPLES
        if due or max(len(self._batch.inputs), len(self._batch.events)) >= FLUSH_LINES:
            self._flush()

    def _flush(self) -> None:
        self._end_run()
        while self._writes and self._writes[0].done():
            self._writes.popleft()
        if len(self._writes) >= MAX_WRITES_BEHIND:
            self._fail(f"the disk is {MAX_WRITES_BEHIND} writes behind")
            return
        self._writes.append(self._disk.submit(self._write, self._batch))
        self._batch, self._flushed = Batch(), self._position

    def _write(self, batch: Batch) -> None:
        """Runs on the disk's thread, as `_close_files` does; nothing else touches the files."""
        if self._state is RecorderState.FAILED:
            return
        try:
            if self._files is None and self.folder is not None:
                self._files = RecordingFiles(self.folder, self._header)
            if self._files is not None:
                self._files.write(batch)
        except OSError as error:
            self._fail(str(error))

    def _close_files(self) -> None:
        try:
            if self._files is not None:
                self._files.close()
        except OSError as error:
            self._fail(str(error))

    def _fail(self, reason: str) -> None:
        self._state = RecorderState.FAILED
        self._failure = reason
        self._batch = Batch()


def _follows(run: AudioRun, frame: AudioRun) -> bool:
    end = run.start + run.samples * run.times
    return (run.track, run.samples, end) == (frame.track, frame.samples, frame.start)
