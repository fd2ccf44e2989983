"""How the audio clock runs next to real time; `now` is a parameter, in seconds."""

CREDIT_S = 2.0
"""How late audio may come in a burst without being too fast."""


class Pace:
    """Compares the audio that came with the time that passed.

    A frame of 20 ms that arrives now was spoken within the last 20 ms; audio that was due and did
    not come is not waited for any longer once it was filled in or the source went on later. But it
    may still come, in a burst after the network stalled, and then nobody was too fast: what is
    overdue by up to `CREDIT_S` counts against what comes too much.
    """

    def __init__(self, slack_s: float) -> None:
        self._slack_s = slack_s
        self._until = 0.0
        self._sent_until: float | None = None
        self._frame_s = 0.0

    def heard(self, duration_s: float, now: float) -> None:
        """Audio (or a gap) of `duration_s` arrived."""
        self._frame_s = duration_s
        self._until = max(now, self._until + duration_s)
        sent_until = now if self._sent_until is None else self._sent_until + duration_s
        self._sent_until = max(now - CREDIT_S, sent_until)

    def skip(self, now: float) -> None:
        """Nobody waits for the audio that is overdue by now."""
        self._until = max(now, self._until)

    def filled(self, duration_s: float) -> None:
        """The server filled in `duration_s` itself."""
        self._until += duration_s

    def ahead_s(self, now: float) -> float:
        """How much more audio came than time passed, what was filled in not counted."""
        return 0.0 if self._sent_until is None else self._sent_until - now

    @property
    def stalls_at(self) -> float:
        """When audio counts as stalled unless more comes: a frame and some slack after the last."""
        return self._until + self._frame_s + self._slack_s

    def missing_s(self, now: float) -> float:
        """How much audio is overdue now; 0 until it counts as stalled."""
        return now - self._until if now >= self.stalls_at else 0.0
