"""What the caller hears of the agent, on the caller's own clock.

A platform queues the agent's audio and plays it in real time, however fast it was sent. The
caller's audio comes in real time, so it is the clock: each stretch of it plays an equally long
stretch of the queue.

    state    meaning                                   leaves when
    ───────  ────────────────────────────────────────  ─────────────────────────────────────────
    SILENT   no sound is queued                         sound is queued → PLAYING
    PLAYING  the caller hears the agent                 the queue was dry for `UNDERRUN_MS`, without
                                                        sound for `LULL_MS`, or is cleared → SILENT
    BARRED   the user interrupted; what the agent       the agent sent no sound for `pause_ms`, or
             still sends belongs to the old answer      cleared by itself, or `LONGEST_BAR_MS` is
                                                        over → SILENT

Silence is no sound, nor is what lies below -60 dBFS: some agents send a frame every 20 ms whether
they speak or not, maybe with a resampler's noise.
"""

import struct
from enum import Enum, auto
from typing import Literal

from bargein_protocol.audio import AudioFormat, Encoding

SILENCE: dict[Encoding, bytes] = {"s16le": b"\0", "f32le": b"\0", "mulaw": b"\xff", "alaw": b"\xd5"}
"""The byte that stands for no sound."""
QUIET: dict[Encoding, bytes] = {
    "mulaw": bytes(sign | low for sign in (0x80, 0) for low in range(0x7B, 0x80)),
    "alaw": b"\xd5\xd4\x55\x54",
}
"""The bytes of G.711 that stand for up to -60 dBFS (32 of 32 768), of either sign."""
LINEAR: dict[Encoding, tuple[Literal["h", "f"], float]] = {
    "s16le": ("h", 32),
    "f32le": ("f", 0.001),
}
"""How `memoryview` reads linear samples, and what is -60 dBFS there."""
UNDERRUN_MS = 200
"""Gap in the agent's audio that is still the same speech …"""
LULL_MS = 600
"""… and silence that it sends, as between two sentences."""
LONGEST_BAR_MS = 30_000
"""Whoever is never quiet (with music behind the voice) is heard again after this; longer than most
answers, for the rest of one is to be dropped."""


class PlayoutState(Enum):
    """Whether the caller hears the agent."""

    SILENT = auto()
    PLAYING = auto()
    BARRED = auto()


class Playout:
    """The queue of one call.

    Args:
        audio: how the call is encoded.
        pause_ms: silence of the agent's after an interruption that makes what follows a new answer.
    """

    def __init__(self, audio: AudioFormat, *, pause_ms: float) -> None:
        self._audio = audio
        self._sample_bytes = audio.bytes_per_sample
        self._silence = SILENCE[audio.encoding]
        self._pause = audio.samples(pause_ms) * self._sample_bytes
        self._underrun = audio.samples(UNDERRUN_MS) * self._sample_bytes
        self._lull = audio.samples(LULL_MS) * self._sample_bytes
        self._longest_bar = audio.samples(LONGEST_BAR_MS) * self._sample_bytes
        self._barred = 0
        self._queue = bytearray()
        self._sound = 0
        """Bytes of the queue up to the end of its last sound."""
        self._quiet = self._dry = 0
        """Bytes played since there was sound in the queue; since there was anything."""
        self._state = PlayoutState.SILENT

    @property
    def state(self) -> PlayoutState:
        """Whether the caller hears the agent."""
        return self._state

    def offer(self, payload: bytes, audio: AudioFormat | None = None) -> bool:
        """The agent sent audio; False if it belongs to the interrupted answer: drop it.

        `audio` says how it is encoded if not as the call is; the queue then knows for how long the
        agent is heard, but not what it says.
        """
        sounds = _sounds(payload, (audio or self._audio).encoding)
        if self._state is PlayoutState.BARRED:
            if self._quiet < self._pause:
                self._quiet = 0 if sounds else self._quiet
                return False
            self._state = PlayoutState.SILENT
        if audio is not None:
            duration_ms = len(payload) / audio.bytes_per_sample * 1000 / audio.sample_rate
            payload = self._silence * (self._audio.samples(duration_ms) * self._sample_bytes)
        self._queue += payload
        if sounds:
            self._sound, self._quiet = len(self._queue), 0
            self._state = PlayoutState.PLAYING
        return True

    def play(self, length: int) -> bytes:
        """The caller's clock moved by `length` bytes of audio; what was heard of the agent in it.

        Shorter than `length` where the queue ran dry, and empty while nothing plays.
        """
        length -= length % self._sample_bytes
        heard = bytes(self._queue[:length])
        del self._queue[:length]
        self._quiet = 0 if self._sound else self._quiet + length
        self._sound = max(0, self._sound - len(heard))
        self._dry = 0 if len(heard) == length else self._dry + length - len(heard)
        self._barred += length
        if self._state is PlayoutState.BARRED and self._barred >= self._longest_bar:
            self._state = PlayoutState.SILENT
        over = self._dry >= self._underrun or self._quiet >= self._lull
        if self._state is PlayoutState.PLAYING and over:
            self._state = PlayoutState.SILENT
        return heard

    def reference(self, heard: bytes, length: int) -> bytes:
        """What the loudspeaker played in `length` bytes of audio; empty while nothing plays."""
        if self._state is not PlayoutState.PLAYING:
            return b""
        return heard + self._silence * (length - len(heard))

    def clear(self) -> None:
        """The agent cleared the queue by itself; what it sends next is new."""
        self._empty()
        self._state = PlayoutState.SILENT

    def bar(self) -> None:
        """The user interrupted: drop the queue, and the rest of this answer when it comes."""
        self._empty()
        self._barred = 0
        self._state = PlayoutState.BARRED

    def _empty(self) -> None:
        self._queue.clear()
        self._sound = self._quiet = self._dry = 0


def _sounds(payload: bytes, encoding: Encoding) -> bool:
    """Whether there is more in it than silence and the noise of a converter."""
    if encoding in QUIET:
        return bool(payload.strip(QUIET[encoding]))
    kind, quiet = LINEAR[encoding]
    size = struct.calcsize(kind)
    samples = memoryview(payload)[: len(payload) // size * size].cast(kind)
    return len(samples) > 0 and (max(samples) > quiet or min(samples) < -quiet)
