"""Cuts what an application has, buffers of any length, into legal audio frames."""

from collections.abc import Iterator
from typing import Protocol

from bargein_protocol.audio import MIN_FRAME_MS, AudioFormat, Encoding

PIECE_MS = 100
"""Longer buffers go out in pieces of this length, so that other messages get in between."""

_ITEM_FORMATS: dict[Encoding, str] = {"s16le": "h", "f32le": "f", "mulaw": "B", "alaw": "B"}


class SupportsBuffer(Protocol):
    """An array of samples, such as `numpy.ndarray` and `array.array`."""

    def __buffer__(self, flags: int, /) -> memoryview:
        """The buffer protocol."""
        ...


Pcm = bytes | bytearray | memoryview | SupportsBuffer
"""Mono samples in the session's encoding: raw bytes, or a contiguous array of that sample type."""


class Framer:
    """Cuts one track; keeps what is too short to be a frame until more comes."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._rest = b""

    @property
    def held(self) -> int:
        """Whole samples that wait for more."""
        return len(self._rest) // self._audio.bytes_per_sample

    def cut(self, pcm: Pcm) -> Iterator[bytes]:
        """The frames that `pcm` completes, each 5 to 200 ms long.

        Raises:
            TypeError: an array whose items are not samples of the session's encoding.
        """
        data = self._rest + as_bytes(pcm, self._audio.encoding)
        size = self._audio.bytes_per_sample
        shortest = self._audio.samples(MIN_FRAME_MS) * size
        piece = self._audio.samples(PIECE_MS) * size
        start, end = 0, len(data) // size * size
        while end - start >= shortest:
            stop = end if end - start <= 2 * piece else start + piece
            yield data[start:stop]
            start = stop
            self._rest = data[start:]
        self._rest = data[start:]

    def drop(self) -> int:
        """Forget what waits; how many samples that was."""
        samples, self._rest = self.held, b""
        return samples


def as_bytes(pcm: Pcm, encoding: Encoding) -> bytes:
    """The bytes of a buffer.

    Raises:
        TypeError: an array whose items are not samples of `encoding`.
    """
    view = memoryview(pcm)
    if view.format not in {"B", "b", "c", _ITEM_FORMATS[encoding]}:
        raise TypeError(f"the session is {encoding}, but the array holds items of {view.format!r}")
    return view.tobytes()
