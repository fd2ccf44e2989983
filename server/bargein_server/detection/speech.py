"""When the user makes sound: a VAD's frames, gated, or the client's own markers."""

from enum import Enum, auto
from typing import Protocol


class SpeechChange(Enum):
    """What one more VAD frame changed."""

    NONE = auto()
    ONSET = auto()
    OFFSET = auto()


class Speech(Protocol):
    """The user's sound as the overlaps see it; positions in samples."""

    @property
    def sounding(self) -> bool:
        """Whether the user is making sound, hangover included."""
        ...

    @property
    def onset(self) -> int:
        """Where the latest sound began."""
        ...

    @property
    def sound_end(self) -> int:
        """The end of the latest sound, as far as it has been heard."""
        ...


class SpeechGate:
    """Turns VAD frames into onsets and offsets: a Schmitt trigger, then a hangover.

    Sound begins when `onset` of the last 2 × `onset` samples were voiced, and goes on while half as
    many are. An onset is dated back to the first voiced frame that counted for it. An offset
    follows `hangover` samples without sound.
    """

    def __init__(self, frame: int, onset: int, hangover: int) -> None:
        self._recent = 0
        self._sounding = False
        self._onset = 0
        self._sound_end = 0
        self.configure(frame, onset, hangover)

    def configure(self, frame: int, onset: int, hangover: int) -> None:
        """Change the VAD's frame and the thresholds (in samples); what was heard stays heard."""
        self._frame = frame
        self._enter = max(1, round(onset / self._frame))
        self._stay = max(1, self._enter // 2)
        self._mask = (1 << 2 * self._enter) - 1
        self._hangover = hangover

    @property
    def sounding(self) -> bool:
        """Whether the user is making sound, hangover included."""
        return self._sounding

    @property
    def resting(self) -> bool:
        """Whether there is no sound, nor the beginning of one."""
        return not self._recent and not self._sounding

    @property
    def onset(self) -> int:
        """Where the latest sound began."""
        return self._onset

    @property
    def sound_end(self) -> int:
        """The end of the latest sound, as far as it has been heard."""
        return self._sound_end

    def hear(self, *, voiced: bool, end: int) -> SpeechChange:
        """Take the VAD's word on the frame that ends at position `end`."""
        self._recent = (self._recent << 1 | voiced) & self._mask
        count = self._recent.bit_count()
        if not self._sounding:
            return self._begin(end) if count >= self._enter else SpeechChange.NONE
        if voiced and count >= self._stay:
            self._sound_end = end
        elif end - self._sound_end >= self._hangover:
            return self._finish(end)
        return SpeechChange.NONE

    def _finish(self, end: int) -> SpeechChange:
        """End the sound; the frames that belong to it do not count for the next onset."""
        self._sounding = False
        self._recent &= (1 << (end - self._sound_end) // self._frame) - 1
        return SpeechChange.OFFSET

    def _begin(self, end: int) -> SpeechChange:
        self._sounding = True
        self._onset = max(0, end - self._recent.bit_length() * self._frame)
        self._sound_end = end
        return SpeechChange.ONSET


class MarkedSpeech:
    """The client's word on when the user makes sound (`overlap = "client"`)."""

    def __init__(self) -> None:
        self._sounding = False
        self._onset = 0
        self._sound_end = 0

    @property
    def sounding(self) -> bool:
        """Whether the client says that the user is making sound."""
        return self._sounding

    @property
    def onset(self) -> int:
        """Where the latest sound began."""
        return self._onset

    @property
    def sound_end(self) -> int:
        """The end of the latest sound, as far as it has been heard."""
        return self._sound_end

    def begin(self, onset: int) -> None:
        """The client heard an onset; a second one without an end changes nothing."""
        if not self._sounding:
            self._sounding = True
            self._onset = self._sound_end = onset

    def hear(self, end: int) -> None:
        """Audio was heard up to `end`; while the user makes sound it is sound."""
        if self._sounding:
            self._sound_end = max(self._sound_end, end)

    def finish(self, at: int) -> None:
        """The client heard an offset."""
        if self._sounding:
            self._sounding = False
            self._sound_end = max(self._onset, at)
