"""Which audio of a window the model has not heard yet.

Each window repeats the one before it and goes on, so the stream of the last window's prediction
can go on, too. It is compared byte by byte: a window that does not extend the last one (it slid
because 3 s were full, it belongs to another agent turn) is heard from the beginning. The model
hears a window from the pre-roll before its onset, on a grid of 25 ms frames from the window's
start; a new sound in the same window begins a new stream. So the answer depends on the bytes of
the window alone, whichever way it was come by.
"""

from collections.abc import Callable
from typing import NamedTuple

from bargein_server.detection.inputs import ClassProbabilities
from bargein_server.detection.timing import FRAME
from bargein_server.livekit.messages import SAMPLE_BYTES
from bargein_server.livekit.speech import PRE_ROLL, WindowSpeech

FRAME_BYTES = FRAME * SAMPLE_BYTES
_NOWHERE = -1
"""No frame: the model has heard nothing of the present window."""


class Part(NamedTuple):
    """What the model is to hear for one window."""

    fresh: bool
    """Whether to start a fresh stream."""
    audio: bytes
    """16 kHz mono s16le, whole 25 ms frames; empty: it knows all of this window already."""


class Heard(NamedTuple):
    """What is known about one window."""

    frames: int
    """25 ms frames in the window."""
    onset: int
    """Samples from the window's start to the sound that is judged."""
    sounding: int
    """Samples that the VAD heard of that sound; 0: none."""
    probabilities: tuple[float, ...]
    """Of an interruption, one per frame as far as the model has answered; 0 before the onset."""


class Hearing:
    """What one connection's windows have in common.

    Args:
        listen: makes the ears for a new window.
    """

    def __init__(self, listen: Callable[[], WindowSpeech]) -> None:
        self._listen = listen
        self._pcm = b""
        self._speech = listen()
        self._start = self._asked = _NOWHERE
        self._interruption: list[float] = []

    def take(self, pcm: bytes) -> Part:
        """Make this window the present one; what the model still has to hear of it."""
        if not (self._pcm and pcm.startswith(self._pcm)):
            self._speech = self._listen()
            self._pcm = b""
            self.forget()
        self._speech.hear(pcm[len(self._pcm) :])
        self._pcm = pcm
        start = self._model_start
        if start != self._start:
            self.forget()
            self._start = self._asked = start
        fresh = self._asked == self._start
        first, self._asked = self._asked, self._frames
        return Part(fresh, pcm[first * FRAME_BYTES : self._asked * FRAME_BYTES])

    def learn(self, frames: tuple[ClassProbabilities, ...]) -> None:
        """The model's answer to the parts taken so far, in their order."""
        self._interruption += [frame.interruption for frame in frames]

    def forget(self) -> None:
        """The stream is lost: the next part begins a fresh one."""
        self._start = self._asked = _NOWHERE
        self._interruption = []

    @property
    def heard(self) -> Heard:
        """What is known about the present window."""
        onset = self._onset
        known = [0.0] * max(0, self._start) + self._interruption
        before = min(onset // FRAME, self._frames)
        values = [0.0] * before + known[before:]
        return Heard(self._frames, onset, self._speech.sounding, tuple(values[: self._frames]))

    @property
    def _frames(self) -> int:
        return len(self._pcm) // FRAME_BYTES

    @property
    def _onset(self) -> int:
        return self._speech.onset(len(self._pcm) // SAMPLE_BYTES)

    @property
    def _model_start(self) -> int:
        """Frame of the window at which the model begins to hear."""
        return max(0, self._onset - PRE_ROLL) // FRAME
