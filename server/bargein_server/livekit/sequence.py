"""The audio behind a client's windows, put together again.

Each window repeats most of the last one: it goes on where that one ended, and once 3 s are full it
leaves out as much at the beginning; it never gets shorter. What two windows share is compared byte
by byte; a window that does not go on from the last one (another turn of the agent, a connection
that was lost) begins a new sequence.
"""

from bargein_server.audio.quality import any_sound
from bargein_server.livekit.messages import SAMPLE_BYTES

PROBE_BYTES = 3200
"""100 ms: so much of the end of one window is looked for in the next."""
MAX_TRIES = 8


class Sequence:
    """What the windows of one connection say without repetition; positions in samples."""

    def __init__(self) -> None:
        self._window = b""
        self._start = 0

    @property
    def start(self) -> int:
        """Where the present window begins in its sequence."""
        return self._start

    @property
    def end(self) -> int:
        """Where the present window ends in its sequence."""
        return self._start + len(self._window) // SAMPLE_BYTES

    def take(self, pcm: bytes) -> bytes | None:
        """Take the next window; the audio that is new in it, or None if a new sequence begins."""
        slid = _slide(self._window, pcm)
        if slid is None:
            self._window, self._start = pcm, 0
            return None
        new = pcm[len(self._window) - slid :]
        self._window = pcm
        self._start += slid // SAMPLE_BYTES
        return new

    def read(self, start: int, end: int) -> bytes:
        """The audio of positions start ≤ p < end, which lie in the present window."""
        first = (start - self._start) * SAMPLE_BYTES
        return self._window[first : first + (end - start) * SAMPLE_BYTES]


def _slide(old: bytes, new: bytes) -> int | None:
    """Bytes of `old` that `new`, which goes on from it, has left out; None: it does not."""
    if old and new.startswith(old):
        return 0
    probe = old[-PROBE_BYTES:]
    if len(new) < len(old) or len(probe) < PROBE_BYTES or not any_sound(probe):
        return None
    backwards, wanted = new[::-1], probe[::-1]  # `find` takes linear time, `rfind` does not
    place = -1
    for _ in range(MAX_TRIES):
        place = backwards.find(wanted, place + 1)
        if place < 0:
            return None
        until = len(new) - place
        slid = len(old) - until
        if slid >= 0 and slid % SAMPLE_BYTES == 0 and new[:until] == old[slid:]:
            return slid
    return None
