"""What the caller hears of the agent, on the caller's own clock.

A platform queues the agent's audio and plays it in real time, however fast it was sent. The
caller's audio comes in real time, so it is the clock: each stretch of it plays an equally long
stretch of the queue.

    state    meaning                                   leaves when
    ───────  ────────────────────────────────────────  ─────────────────────────────────────────
    SILENT   nothing is queued                          audio is queued → PLAYING
    PLAYING  the caller hears the agent                 nothing was queued for `underrun_ms`, or
                                                        the queue is cleared → SILENT
    BARRED   the user interrupted; what the agent       the agent sent nothing for `pause_ms`, or
             still sends belongs to the old answer      cleared by itself → SILENT
"""

from enum import Enum, auto

from bargein_protocol.audio import AudioFormat, Encoding

SILENCE: dict[Encoding, bytes] = {"s16le": b"\0", "f32le": b"\0", "mulaw": b"\xff", "alaw": b"\xd5"}
"""The byte that stands for no sound."""
UNDERRUN_MS = 200
"""Gap in the agent's audio that is still the same speech."""


class PlayoutState(Enum):
    """Whether the caller hears the agent."""

    SILENT = auto()
    PLAYING = auto()
    BARRED = auto()


class Playout:
    """The queue of one call.

    Args:
        audio: how the call is encoded.
        pause_ms: silence of the agent after an interruption that makes what follows a new answer.
    """

    def __init__(self, audio: AudioFormat, *, pause_ms: float) -> None:
        self._sample_bytes = audio.bytes_per_sample
        self._silence = SILENCE[audio.encoding]
        self._pause = audio.samples(pause_ms) * self._sample_bytes
        self._underrun = audio.samples(UNDERRUN_MS) * self._sample_bytes
        self._queue = bytearray()
        self._quiet = 0
        self._state = PlayoutState.SILENT

    @property
    def state(self) -> PlayoutState:
        """Whether the caller hears the agent."""
        return self._state

    def offer(self, payload: bytes) -> bool:
        """The agent sent audio; False if it belongs to the interrupted answer: drop it."""
        if self._state is PlayoutState.BARRED and self._quiet < self._pause:
            self._quiet = 0
            return False
        if self._state is not PlayoutState.PLAYING:
            self._quiet = 0
            self._state = PlayoutState.PLAYING
        self._queue += payload
        return True

    def play(self, length: int) -> bytes:
        """The caller's clock moved by `length` bytes of audio; what was heard of the agent in it.

        Shorter than `length` where the queue ran dry, and empty while nothing plays.
        """
        length -= length % self._sample_bytes
        heard = bytes(self._queue[:length])
        del self._queue[:length]
        self._quiet = 0 if heard else self._quiet + length
        if self._state is PlayoutState.PLAYING and self._quiet >= self._underrun:
            self._state = PlayoutState.SILENT
        return heard

    def reference(self, heard: bytes, length: int) -> bytes:
        """What the loudspeaker played in `length` bytes of audio; empty while nothing plays."""
        if self._state is not PlayoutState.PLAYING:
            return b""
        return heard + self._silence * (length - len(heard))

    def clear(self) -> None:
        """The agent cleared the queue by itself; what it sends next is new."""
        self._queue.clear()
        self._quiet = 0
        self._state = PlayoutState.SILENT

    def bar(self) -> None:
        """The user interrupted: drop the queue, and the rest of this answer when it comes."""
        self._queue.clear()
        self._quiet = 0
        self._state = PlayoutState.BARRED
