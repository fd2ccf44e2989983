"""What the client needs of whoever reads recordings and replays them in process.

The server package registers an engine in the entry-point group `bargein.engines`; so the client
does not import it.
"""

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from bargein_protocol.messages import ServerMessage
from bargein_protocol.options import OptionsUpdate
from bargein_protocol.recording import Tape

ENGINES = "bargein.engines"
"""Entry-point group of the engines."""


class Heard(NamedTuple):
    """What a session says, and when: samples of user audio at 16 kHz since it began."""

    position: int
    message: ServerMessage


class Engine(Protocol):
    """One recording, opened."""

    @property
    def tape(self) -> Tape:
        """What the client did, and what was answered."""
        ...

    def play(
        self, changes: OptionsUpdate | None = None, model: Path | None = None, *, anew: bool = False
    ) -> Iterator[tuple[int, ServerMessage]]:
        """Replay in process: position and message, as they come."""
        ...


class OpenEngine(Protocol):
    """What the entry point holds."""

    errors: tuple[type[Exception], ...]
    """Raised for what cannot be read or replayed; their texts are for people."""

    def __call__(self, path: Path, markers: Path | None = None) -> Engine:
        """Open a recording, or a WAV file with its markers."""
        ...


def find_engine() -> OpenEngine:
    """The engine that is installed.

    Raises:
        ImportError: none is, or a library that it needs is missing.
    """
    for point in entry_points(group=ENGINES):
        return cast("OpenEngine", point.load())
    raise ImportError("no replay engine is installed", name="bargein_server")
