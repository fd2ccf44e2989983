"""Silence made up for user audio that does not come, while something waits for it."""

import math

from bargein_server.sessions.pace import Pace

SAMPLES_PER_S = 16_000
SLACK_S = 0.06
"""How late audio may be before silence is made up for it."""
SLOW_SAMPLES = 2 * SAMPLES_PER_S
"""Silence made up after which the client should be told."""


class Stalls:
    """Watches one session's audio; durations in samples, `now` in seconds of the loop's clock.

    Silence is made up only while the session waits. What was made up before a gap counts against
    the gap, so that the client's idea of the time and the server's stay one.
    """

    def __init__(self) -> None:
        self._pace = Pace(SLACK_S)
        self._waiting = False
        self._since_audio = 0
        self._made_up = 0

    @property
    def slow(self) -> bool:
        """Whether so much was made up that the client should be told."""
        return self._made_up > SLOW_SAMPLES

    def heard(self, samples: int, now: float) -> None:
        """Audio came."""
        self._since_audio = 0
        self._pace.heard(samples / SAMPLES_PER_S, now)

    def gap(self, samples: int, now: float) -> int:
        """The client says that it left out so much; how much of that was not made up yet."""
        made_up = min(samples, self._since_audio)
        self._since_audio -= made_up
        self._made_up -= made_up
        rest = samples - made_up
        if rest:
            self._pace.heard(rest / SAMPLES_PER_S, now)
        return rest

    def settle(self) -> None:
        """The client has been told the time, what was made up included: no gap replaces it."""
        self._since_audio = 0

    def ahead_s(self, now: float) -> float:
        """How much more audio came than time passed, what was made up not counted."""
        return self._pace.ahead_s(now)

    def deadline(self, now: float, *, waiting: bool) -> float:
        """When audio counts as stalled; infinity while nothing waits for it."""
        if waiting and not self._waiting:
            self._pace.skip(now)
        self._waiting = waiting
        return self._pace.stalls_at if waiting else math.inf

    def make_up(self, now: float) -> int:
        """The silence to put in the place of audio that is overdue; 0 if none is."""
        samples = int(self._pace.missing_s(now) * SAMPLES_PER_S) if self._waiting else 0
        self._pace.filled(samples / SAMPLES_PER_S)
        self._since_audio += samples
        self._made_up += samples
        return samples
