"""How long a session may last, be silent, or be without a connection; `now` is a parameter."""

import math

from bargein_protocol.errors import ErrorCode

from bargein_server.configuration.settings import Settings


class Limits:
    """The wall-clock deadlines of one session, in seconds; a limit of 0 is none.

    Args:
        settings: says how long.
        now: when the session began.
    """

    def __init__(self, settings: Settings, now: float) -> None:
        self._idle_s = settings.idle_timeout_s or math.inf
        self._park_s = settings.resume_window_s
        self._ends_at = now + (settings.max_duration_s or math.inf)
        self._parked_until = math.inf
        self.heard_at = now
        """When the client last sent anything."""

    def park(self, now: float) -> None:
        """The connection was lost."""
        self._parked_until = now + self._park_s

    def unpark(self, now: float) -> None:
        """A connection is there again."""
        self._parked_until = math.inf
        self.heard_at = now

    @property
    def deadline(self) -> float:
        """When the session ends unless something happens before."""
        idle = self.heard_at + self._idle_s if math.isinf(self._parked_until) else math.inf
        return min(self._ends_at, self._parked_until, idle)

    def exceeded(self, now: float) -> ErrorCode | None:
        """The limit that is exceeded now."""
        if now < self.deadline:
            return None
        if now >= self._ends_at:
            return ErrorCode.SESSION_TOO_LONG
        if now >= self._parked_until:
            return ErrorCode.CONNECTION_LOST
        return ErrorCode.IDLE_TIMEOUT
