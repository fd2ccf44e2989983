"""What binary messages hold: the audio format, and the framing of two tracks."""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from bargein_protocol.errors import ErrorCode, ProtocolError

Encoding = Literal["s16le", "f32le", "mulaw", "alaw"]
SampleRate = Literal[8000, 16000, 24000, 32000, 44100, 48000]
Track = Literal["user", "agent"]

BYTES_PER_SAMPLE: dict[Encoding, int] = {"s16le": 2, "f32le": 4, "mulaw": 1, "alaw": 1}
MIN_FRAME_MS = 5
MAX_FRAME_MS = 1000
TRACKS: tuple[Track, ...] = get_args(Track)
"""Index = the byte that begins a binary message when there are two tracks."""


_LIMITS: dict[SampleRate, tuple[int, int]] = {
    rate: (rate * MIN_FRAME_MS // 1000, rate * MAX_FRAME_MS // 1000)
    for rate in get_args(SampleRate)
}
"""Samples in the shortest and in the longest frame."""


class AudioFormat(msgspec.Struct, frozen=True, kw_only=True):
    """What the binary messages of a session hold."""

    encoding: Encoding = "s16le"
    """Mono samples: signed 16 bit and float 32 bit little-endian, or G.711."""
    sample_rate: SampleRate = 16000
    """Samples per second."""
    tracks: Annotated[tuple[Track, ...], Meta(min_length=1, max_length=2)] = ("user",)
    """["user"], or ["user", "agent"]: each message then begins with a byte, 0 user, 1 agent."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for track lists other than the two allowed ones."""
        if self.tracks not in (("user",), TRACKS):
            raise ValueError('`tracks` is ["user"] or ["user", "agent"]')

    @property
    def bytes_per_sample(self) -> int:
        """Size of one sample."""
        return BYTES_PER_SAMPLE[self.encoding]

    def samples(self, duration_ms: float) -> int:
        """Samples in `duration_ms` at this rate."""
        return round(duration_ms * self.sample_rate / 1000)


class AudioFrame(msgspec.Struct, frozen=True):
    """The PCM of one binary message, still in the session's encoding."""

    track: Track
    """Whose audio it is."""
    payload: bytes
    """A whole number of samples."""


def parse_frame(data: bytes, audio: AudioFormat) -> AudioFrame:
    """Split a binary message into its track and its samples.

    Raises:
        ProtocolError: wrong track byte, a ragged last sample, shorter than 5 ms or longer than 1 s.
    """
    track, payload = _split_track(data, audio)
    size = audio.bytes_per_sample
    if len(payload) % size:
        raise ProtocolError(
            ErrorCode.INVALID_AUDIO,
            f"{len(payload)} bytes are no whole number of {size}-byte {audio.encoding} samples",
        )
    samples = len(payload) // size
    least, most = _LIMITS[audio.sample_rate]
    if not least <= samples <= most:
        raise ProtocolError(
            ErrorCode.INVALID_AUDIO,
            f"an audio frame holds {samples * 1000 / audio.sample_rate:g} ms; send "
            f"{MIN_FRAME_MS} ms to {MAX_FRAME_MS} ms at a time",
        )
    return AudioFrame(track, payload)


def format_frame(frame: AudioFrame, audio: AudioFormat) -> bytes:
    """Join a track and its samples into a binary message; the inverse of `parse_frame`."""
    if len(audio.tracks) == 1:
        return frame.payload
    return bytes([TRACKS.index(frame.track)]) + frame.payload


def _split_track(data: bytes, audio: AudioFormat) -> tuple[Track, bytes]:
    if len(audio.tracks) == 1:
        return "user", data
    if not data or data[0] >= len(TRACKS):
        seen = f"{data[0]}" if data else "nothing"
        raise ProtocolError(
            ErrorCode.INVALID_AUDIO,
            f"with two tracks a binary message begins with 0 (user) or 1 (agent), not {seen}",
        )
    return TRACKS[data[0]], data[1:]
