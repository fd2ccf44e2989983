"""Notices that no user turn followed an interruption."""

from enum import Enum, auto

from bargein_server.detection.speech import Speech


class WatchState(Enum):
    """What the watch waits for."""

    IDLE = auto()
    """No interruption in question."""
    SOUNDING = auto()
    """The interrupting speech goes on."""
    QUIET = auto()
    """It stopped; time is running."""


class FalseInterruptionWatch:
    """One interruption at a time; the latest counts. Positions in samples."""

    def __init__(self) -> None:
        self._state = WatchState.IDLE
        self._overlap_id = 0
        self._onset = 0
        self._quiet_since = 0
        self._hinted_to = 0
        self._words_to = 0

    def interrupted(self, overlap_id: int, onset: int, speech: Speech) -> None:
        """An interruption was found that began at `onset`; its words may have come before."""
        if self._words_to > onset:
            self._state = WatchState.IDLE
            return
        self._overlap_id = overlap_id
        self._onset = onset
        self._state = WatchState.SOUNDING
        self.follow(speech)

    def follow(self, speech: Speech) -> None:
        """The user's sound began or ended: time runs only while it is quiet."""
        if self._state is WatchState.IDLE:
            return
        self._state = WatchState.SOUNDING if speech.sounding else WatchState.QUIET
        self._quiet_since = max(speech.sound_end, self._hinted_to)

    def hint(self, sound_end: int) -> None:
        """The client heard sound up to `sound_end`, whether the VAD does or not."""
        self._hinted_to = self._quiet_since = max(sound_end, self._quiet_since)

    def transcript(self, end: int) -> None:
        """A final transcript that ends at `end`: a turn, unless older than the interruption."""
        self._words_to = max(end, self._words_to)
        if end > self._onset:
            self._state = WatchState.IDLE

    def forget(self) -> None:
        """No interruption is in question any more."""
        self._state = WatchState.IDLE

    def deadline(self, wait: int | None) -> int | None:
        """When the interruption turns out false, `wait` samples after its speech; None: not now."""
        if wait is None or self._state is not WatchState.QUIET:
            return None
        return self._quiet_since + wait

    def expire(self) -> int:
        """The deadline passed: the id of the overlap that was a false interruption, once."""
        self._state = WatchState.IDLE
        return self._overlap_id
