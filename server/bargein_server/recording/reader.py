"""Reads recordings back, complete ones and those that a crash cut short."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from bargein_protocol.recording import Header

from bargein_server.detection.inputs import Input, Position, UserAudio
from bargein_server.recording.format import (
    AGENT_FILE,
    EVENTS_FILE,
    INPUTS_FILE,
    SESSION_FILE,
    USER_FILE,
    Announced,
    AudioRun,
    Line,
    parse_line,
)
from bargein_server.recording.wav import BYTES_PER_SAMPLE, read_samples


class RecordingError(Exception):
    """The path holds no recording that can be read; the message says why."""


class Entry(msgspec.Struct, frozen=True):
    """One input of the session with its audio, or a message the session announced."""

    position: Position
    """The session's position before it."""
    content: Input | Announced


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it was recorded."""

    name: str
    header: Header
    user: bytes
    """16 kHz mono s16le; sample n is position n."""
    agent: bytes | None
    """The agent's track; None if there was none."""
    lines: tuple[Line, ...]
    """`inputs.jsonl`, up to the first line that is torn or whose audio is missing."""
    events: tuple[bytes, ...]
    """Every message that was sent, without the newline; a torn last one is left out."""

    def entries(self) -> Iterator[Entry]:
        """Everything the session was told and announced, in order."""
        for line in self.lines:
            if isinstance(line.content, AudioRun):
                yield from self._frames(line.content, line.position)
            else:
                yield Entry(line.position, line.content)

    def _frames(self, run: AudioRun, position: Position) -> Iterator[Entry]:
        track = self.user if run.track is UserAudio else self.agent or b""
        size = run.samples * BYTES_PER_SAMPLE
        first = run.start * BYTES_PER_SAMPLE
        for number in range(run.times):
            pcm = track[first + number * size : first + (number + 1) * size]
            yield Entry(position, run.track(pcm))
            if run.track is UserAudio:
                position += run.samples


def read_recording(folder: Path) -> Recording:
    """Read the recording in `folder`.

    Raises:
        RecordingError: no recording, or one of a format that this version does not know.
    """
    header = _read_header(folder)
    user = _samples(folder / USER_FILE) or b""
    agent = _samples(folder / AGENT_FILE)
    return Recording(
        name=folder.name,
        header=header,
        user=user,
        agent=agent,
        lines=tuple(_read_lines(folder / INPUTS_FILE, user, agent or b"")),
        events=tuple(_whole_lines(folder / EVENTS_FILE)),
    )


def _read_header(folder: Path) -> Header:
    path = folder / SESSION_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Header)
    except OSError as error:
        raise RecordingError(f"{folder} is no recording: {error.strerror}: {path.name}") from None
    except msgspec.DecodeError as error:
        raise RecordingError(f"{path}: {error}") from None


def _samples(path: Path) -> bytes | None:
    return read_samples(path) if path.exists() else None


def _read_lines(path: Path, user: bytes, agent: bytes) -> Iterator[Line]:
    for data in _whole_lines(path):
        try:
            line = parse_line(data)
        except ValueError:
            return
        content = line.content
        if isinstance(content, AudioRun):
            there = len(user if content.track is UserAudio else agent) // BYTES_PER_SAMPLE
            held = (there - content.start) // content.samples if content.samples else content.times
            times = min(content.times, held)
            if times < content.times:
                if times > 0:
                    whole = AudioRun(content.track, content.start, content.samples, times)
                    yield Line(line.position, whole)
                return
        yield line


def _whole_lines(path: Path) -> Iterator[bytes]:
    """The lines that end; a crash may have left the beginning of one more."""
    data = path.read_bytes() if path.exists() else b""
    yield from data.split(b"\n")[:-1]
