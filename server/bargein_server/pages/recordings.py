"""The recordings of a server, for the page: which there are, and their files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from bargein_protocol.recording import SAMPLE_RATE, SUFFIX, Header

from bargein_server.recording.format import (
    AGENT_FILE,
    EVENTS_FILE,
    INPUTS_FILE,
    SESSION_FILE,
    USER_FILE,
)
from bargein_server.recording.wav import BYTES_PER_SAMPLE, HEADER_BYTES

FILES = (SESSION_FILE, INPUTS_FILE, EVENTS_FILE, USER_FILE, AGENT_FILE)
"""What a recording consists of."""
MAX_LISTED = 200


class Shelf:
    """The folder that a server records into.

    Args:
        folder: may not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self) -> list[dict[str, Any]]:
        """At most 200 recordings, the newest first; reads from disk."""
        folders = sorted(self._folders(), key=lambda folder: folder.stat().st_mtime, reverse=True)
        described = (_describe(folder) for folder in folders[:MAX_LISTED])
        return [entry for entry in described if entry is not None]

    def files(self, name: str) -> list[str]:
        """Which files a recording has; none if there is no such recording."""
        return [file for file in FILES if self.find(name, file) is not None]

    def find(self, name: str, file: str) -> Path | None:
        """The path of one file of a recording; None if there is no such recording or file."""
        if file not in FILES or not name.endswith(SUFFIX) or Path(name).name != name:
            return None
        path = self._folder / name / file
        return path if path.is_file() else None

    def _folders(self) -> Iterator[Path]:
        if self._folder.is_dir():
            yield from (path for path in self._folder.glob(f"*{SUFFIX}") if path.is_dir())


def _describe(folder: Path) -> dict[str, Any] | None:
    """One line of the list; None for a folder that holds no recording (yet)."""
    try:
        header = msgspec.json.decode((folder / SESSION_FILE).read_bytes(), type=Header)
        audio = (folder / USER_FILE).stat().st_size - HEADER_BYTES
        events = (folder / EVENTS_FILE).read_bytes()
    except (OSError, msgspec.DecodeError):
        return None
    return {
        "name": folder.name,
        "session_id": header.session_id,
        "started_at": header.started_at,
        "duration_ms": max(0, audio) * 1000 / (SAMPLE_RATE * BYTES_PER_SAMPLE),
        "interruptions": events.count(b'"type":"interruption"'),
        "non_interruptions": events.count(b'"type":"non_interruption"'),
    }
