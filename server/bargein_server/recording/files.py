"""The files of one recording, written in batches; every batch leaves them readable."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import orjson
from bargein_protocol.recording import SUFFIX, Header

from bargein_server.recording.format import (
    AGENT_FILE,
    EVENTS_FILE,
    INPUTS_FILE,
    SESSION_FILE,
    USER_FILE,
)
from bargein_server.recording.wav import WavWriter


class Batch:
    """What came in since the last write."""

    def __init__(self) -> None:
        self.user: list[tuple[int, bytes]] = []
        """Start and samples, in order."""
        self.agent: list[tuple[int, bytes]] = []
        self.inputs: list[bytes] = []
        """Whole lines."""
        self.events: list[bytes] = []


class RecordingFiles:
    """The open files of one recording.

    Audio is written before the lines that count it, so whatever a line speaks of is there.

    Raises:
        OSError: from every method, if the disk does not take it.
    """

    def __init__(self, folder: Path, header: Header) -> None:
        content = orjson.dumps(msgspec.to_builtins(header), option=orjson.OPT_INDENT_2)
        (folder / SESSION_FILE).write_bytes(content + b"\n")
        self._user = WavWriter(folder / USER_FILE)
        two_tracks = "agent" in header.audio.tracks
        self._agent = WavWriter(folder / AGENT_FILE) if two_tracks else None
        self._inputs = (folder / INPUTS_FILE).open("xb")
        self._events = (folder / EVENTS_FILE).open("xb")

    def write(self, batch: Batch) -> None:
        """Add a batch to the files."""
        for start, pcm in _joined(batch.user):
            self._user.write(start, pcm)
        if self._agent is not None:
            for start, pcm in _joined(batch.agent):
                self._agent.write(start, pcm)
        for file, lines in ((self._inputs, batch.inputs), (self._events, batch.events)):
            if lines:
                file.write(b"".join(lines))
                file.flush()

    def close(self) -> None:
        """Close the files."""
        for file in (self._user, self._agent, self._inputs, self._events):
            if file is not None:
                file.close()


def make_folder(directory: Path, session_id: str) -> Path:
    """Make an empty folder for a session: named after it, made safe, and numbered if taken.

    Raises:
        OSError: the folder cannot be made.
    """
    name = safe_name(session_id)
    directory.mkdir(parents=True, exist_ok=True)
    for candidate in _numbered(name):
        folder = directory / f"{candidate}{SUFFIX}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError("unreachable")


def safe_name(session_id: str) -> str:
    """The session's id as a file name that every system takes: no colons, no leading dot."""
    name = re.sub(r"[:/\\]", "_", session_id)
    return f"_{name}" if name.startswith((".", "-")) else name


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def _joined(parts: list[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """The same parts, those that follow each other without a hole in one."""
    pieces: list[bytes] = []
    start = end = 0
    for at, pcm in parts:
        if pieces and at != end:
            yield start, b"".join(pieces)
            pieces = []
        if not pieces:
            start = end = at
        pieces.append(pcm)
        end += len(pcm) // 2
    if pieces:
        yield start, b"".join(pieces)
