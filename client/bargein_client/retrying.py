"""When to try again after a connection ended, and how long to wait.

The protocol's error table has the advice; this is what the client makes of it:

    retry    fault            the client
    ───────  ───────────────  ─────────────────────────────────────────────────────────
    never    any              raises
    resume   any              connects again and takes the same session up
    later    server           connects again and begins a new session with the same settings
    later    client           raises: this side would run into it again …
    later    unknown_session, … but while resuming it begins a new session
             resume_too_old
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from bargein_protocol.errors import ErrorCode


class Advice(Enum):
    """What to do after a connection ended with an error."""

    RAISE = auto()
    RESUME = auto()
    BEGIN_ANEW = auto()


def advice_for(code: ErrorCode, *, resuming: bool) -> Advice:
    """What to do; `resuming`: the error is the answer to an attempt to resume."""
    if code.retry == "resume":
        return Advice.RESUME
    if code.retry == "later" and code.fault == "server":
        return Advice.BEGIN_ANEW
    if resuming and code in {ErrorCode.UNKNOWN_SESSION, ErrorCode.RESUME_TOO_OLD}:
        return Advice.BEGIN_ANEW
    return Advice.RAISE


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Waits that double from `first_s` up to `most_s`, each shortened at random by up to half."""

    first_s: float = 0.1
    most_s: float = 5.0
    attempts: int = 12
    """Attempts in a row before the client gives up; 0: it never reconnects."""

    def waits_s(self) -> Iterator[float]:
        """One wait before each attempt."""
        wait_s = self.first_s
        for _ in range(self.attempts):
            yield wait_s * random.uniform(0.5, 1)  # noqa: S311
            wait_s = min(2 * wait_s, self.most_s)
