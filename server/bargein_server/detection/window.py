"""The recent past of one audio track, addressed by position."""

BYTES = 2
"""Bytes per sample of s16le."""
LONGEST_HELD = 60 * 16_000
"""More silence than this is not held: nobody asks for what was before it."""


class AudioHistory:
    """Holds the latest samples of a track (16 kHz mono s16le) and forgets what is older.

    Whatever was forgotten or has not come yet reads as silence.
    """

    def __init__(self) -> None:
        self._pcm = bytearray()
        self._start = 0

    @property
    def start(self) -> int:
        """Position of the oldest sample held."""
        return self._start

    @property
    def end(self) -> int:
        """Position after the newest sample held."""
        return self._start + len(self._pcm) // BYTES

    def append(self, pcm: bytes) -> None:
        """Add samples at the end."""
        self._pcm += pcm

    def silence(self, duration: int) -> None:
        """Add `duration` samples of silence at the end; all before a long one is forgotten."""
        if duration > LONGEST_HELD:
            self._start = self.end + duration
            self._pcm.clear()
        else:
            self._pcm += bytes(duration * BYTES)

    def read(self, start: int, end: int) -> bytes:
        """The samples of positions start ≤ p < end."""
        if self._start <= start and end <= self.end:
            return bytes(self._pcm[(start - self._start) * BYTES : (end - self._start) * BYTES])
        first = min(max(start, self._start), end)
        last = max(min(end, self.end), first)
        held = bytes(self._pcm[(first - self._start) * BYTES : (last - self._start) * BYTES])
        return bytes((first - start) * BYTES) + held + bytes((end - last) * BYTES)

    def forget_before(self, position: int) -> None:
        """Drop samples older than `position`."""
        surplus = min(position, self.end) - self._start
        if surplus > 0:
            del self._pcm[: surplus * BYTES]
            self._start += surplus
