"""What the detector needs of a voice activity detector, and webrtcvad as one."""

from typing import Protocol

import webrtcvad

SAMPLE_RATE = 16_000


class Vad(Protocol):
    """Says for one short frame after the other whether it holds voice.

    An implementation may keep state between frames; `reset` forgets it.
    """

    frame_samples: int
    """Samples per frame at 16 kHz."""

    def is_speech(self, frame: bytes) -> bool:
        """Whether this frame (`frame_samples` of 16 kHz mono s16le) holds voice."""
        ...

    def reset(self) -> None:
        """Start afresh."""
        ...


class WebrtcVad:
    """The WebRTC project's Gaussian-mixture detector, 10 ms at a time.

    Args:
        aggressiveness: 0 (calls least silence) to 3 (calls most silence).
    """

    frame_samples = SAMPLE_RATE // 100

    def __init__(self, aggressiveness: int = 2) -> None:
        self._aggressiveness = aggressiveness
        self.reset()

    def is_speech(self, frame: bytes) -> bool:
        """Whether these 10 ms hold voice."""
        return bool(self._vad.is_speech(frame, SAMPLE_RATE))  # pyright: ignore[reportUnknownArgumentType]

    def reset(self) -> None:
        """Start afresh."""
        self._vad = webrtcvad.Vad(self._aggressiveness)
