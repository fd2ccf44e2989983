"""What one connection's windows have told, and which audio the model has not heard yet.

The model hears a sequence of windows as it hears any session: from one second before the onset,
then on and on. So a window costs the model what is new in it. A new sound in the sequence, or a
window that does not continue it, begins a new stream. As long as a sequence fits in one window the
answer depends on the bytes of that window alone, whichever way it was come by; of a longer one the
model knows more than the window holds.
"""

from collections.abc import Callable
from typing import NamedTuple

from bargein_server.detection.inputs import ClassProbabilities
from bargein_server.detection.timing import FRAME
from bargein_server.livekit.messages import MAX_WINDOW_SAMPLES, SAMPLE_BYTES
from bargein_server.livekit.sequence import Sequence
from bargein_server.livekit.speech import PRE_ROLL, WindowSpeech

FRAME_BYTES = FRAME * SAMPLE_BYTES
KEPT_FRAMES = 2 * MAX_WINDOW_SAMPLES // FRAME
"""Frames remembered of a stream: more than a window has."""
_NOWHERE = -1


class Part(NamedTuple):
    """What the model is to hear next."""

    stream: int
    """Which stream it belongs to; another number than before: a fresh one."""
    audio: bytes
    """16 kHz mono s16le, whole 25 ms frames; empty: it knows all of the window already."""


class Heard(NamedTuple):
    """What is known about the present window; places in samples from its start."""

    frames: int
    """25 ms frames in the window."""
    onset: int
    """Where the sound that is judged begins; 0 if that was before the window."""
    sound_end: int
    """Where the VAD last heard that sound."""
    sounding: int
    """How long the VAD has heard that sound, its past before the window included; 0: not at all."""
    probabilities: tuple[float, ...]
    """Of an interruption, one per frame; 0 before the onset, and where the model has not spoken."""


class Hearing:
    """Listens to the windows of one connection.

    Args:
        listen: makes the ears for a new sequence.
    """

    def __init__(self, listen: Callable[[], WindowSpeech]) -> None:
        self._listen = listen
        self._audio = Sequence()
        self._speech = listen()
        self._stream = 0
        self._wanted = _NOWHERE
        self._first = self._asked = 0
        self._interruption: list[float] = []

    def hear(self, pcm: bytes) -> None:
        """Make this the present window."""
        new = self._audio.take(pcm)
        if new is None:
            self._speech = self._listen()
            self.forget()
        self._speech.hear(pcm if new is None else new)

    def part(self) -> Part:
        """What the model is to hear to know all of the present window."""
        wanted = max(0, self._onset - PRE_ROLL)
        if wanted != self._wanted or self._asked < self._audio.start:
            self._begin(wanted)
        start = self._asked
        self._asked += (self._audio.end - start) // FRAME * FRAME
        return Part(self._stream, self._audio.read(start, self._asked))

    def learn(self, part: Part, frames: tuple[ClassProbabilities, ...]) -> None:
        """The model's answer to a part; parts of one stream are answered in their order."""
        if part.stream != self._stream:
            return
        self._interruption += [frame.interruption for frame in frames]
        surplus = len(self._interruption) - KEPT_FRAMES
        if surplus > KEPT_FRAMES:
            del self._interruption[:surplus]
            self._first += surplus * FRAME

    def forget(self) -> None:
        """The stream is lost: the next part begins a fresh one, late answers are not heard."""
        self._wanted = _NOWHERE
        self._stream += 1
        self._interruption = []

    @property
    def heard(self) -> Heard:
        """What is known about the present window."""
        start, frames = self._audio.start, (self._audio.end - self._audio.start) // FRAME
        onset = max(0, self._onset - start)
        before = min(onset // FRAME, frames)
        values = (self._value(start + (frame + 1) * FRAME) for frame in range(before, frames))
        return Heard(
            frames,
            onset,
            max(0, self._speech.sound_end - start),
            self._speech.sounding,
            (*(0.0,) * before, *values),
        )

    @property
    def _onset(self) -> int:
        return self._speech.onset(self._audio.end)

    def _begin(self, wanted: int) -> None:
        """Begin a stream: at `wanted`, or where the window begins, on the window's grid."""
        start = self._audio.start
        self._wanted = wanted
        self._first = self._asked = start + max(0, wanted - start) // FRAME * FRAME
        self._stream += 1
        self._interruption = []

    def _value(self, end: int) -> float:
        """The model's word at position `end`."""
        index = (end - self._first) // FRAME - 1
        return self._interruption[index] if 0 <= index < len(self._interruption) else 0.0
