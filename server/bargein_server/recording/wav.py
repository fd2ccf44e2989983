"""WAV files of 16 kHz mono s16le that are whole after every write."""

import struct
from pathlib import Path

from bargein_protocol.recording import SAMPLE_RATE

HEADER_BYTES = 44
BYTES_PER_SAMPLE = 2
MAX_SAMPLES = (2**32 - HEADER_BYTES) // BYTES_PER_SAMPLE
"""What the format's 32-bit sizes can say: 37 hours."""


class WavWriter:
    """Writes samples at their positions; the header always counts what is there.

    Raises:
        OSError: from every method, if the disk does not take it.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self._samples = 0
        self._write_header()

    def write(self, start: int, pcm: bytes) -> None:
        """Add samples from position `start` on; what is left out reads as silence."""
        end = start + len(pcm) // BYTES_PER_SAMPLE
        if end > MAX_SAMPLES:
            raise OSError("a WAV file holds no more than 37 hours")
        if start > self._samples:  # a hole: costs no space, however long the silence
            self._file.truncate(HEADER_BYTES + start * BYTES_PER_SAMPLE)
        self._file.seek(HEADER_BYTES + start * BYTES_PER_SAMPLE)
        self._file.write(pcm)
        self._file.flush()
        self._samples = max(self._samples, end)
        self._write_header()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write_header(self) -> None:
        self._file.seek(0)
        self._file.write(wav_header(self._samples))
        self._file.flush()


def read_samples(path: Path) -> bytes:
    """All whole samples in the file, whatever its header says."""
    data = path.read_bytes()[HEADER_BYTES:]
    return data[: len(data) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE]


def wav_header(samples: int) -> bytes:
    """The 44 bytes before `samples` samples."""
    size = samples * BYTES_PER_SAMPLE
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        size + HEADER_BYTES - 8,
        b"WAVE",
        b"fmt ",
        16,
        1,  # PCM
        1,  # channel
        SAMPLE_RATE,
        SAMPLE_RATE * BYTES_PER_SAMPLE,
        BYTES_PER_SAMPLE,
        8 * BYTES_PER_SAMPLE,
        b"data",
        size,
    )
