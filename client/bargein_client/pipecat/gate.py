"""Transcripts that wait for the server's word on them."""

from msgspec import Struct
from pipecat.frames.frames import InterimTranscriptionFrame, TranscriptionFrame

Transcript = TranscriptionFrame | InterimTranscriptionFrame


class _Held(Struct, frozen=True):
    frame: Transcript
    since_s: float


class Gate:
    """Keeps them in order, each under its name."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}

    def hold(self, frame: Transcript, now_s: float) -> str:
        """Keep a transcript; returns its name."""
        name = str(frame.id)
        self._held[name] = _Held(frame, now_s)
        return name

    def take(self, name: str) -> Transcript | None:
        """The transcript of that name; None if it waits no more."""
        held = self._held.pop(name, None)
        return None if held is None else held.frame

    def take_since(self, moment_s: float) -> list[Transcript]:
        """Those that have waited since then or longer, oldest first."""
        names = [name for name, held in self._held.items() if held.since_s <= moment_s]
        return [self._held.pop(name).frame for name in names]
