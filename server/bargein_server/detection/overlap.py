"""One overlap: where it stands, and what has been asked and heard about it.

    state       meaning                                            leaves by
    ──────────  ─────────────────────────────────────────────────  ──────────────────────────────
    LISTENING   the sound goes on, no verdict yet                   every event but ANSWERED
    AWAITING    the sound ended, answers of the model still due     PROVEN, ANSWERED, ABANDONED
    DECIDED     an interruption; its sound goes on                  ENDED, ABANDONED
    CLOSED      verdict given, sound ended                          –

Exactly the transitions into DECIDED or CLOSED from a state without a verdict (`UNDECIDED`) carry
the verdict, which is what makes it the only one. An event with no entry in the table does not
concern the overlap any more and is dropped by the caller.
"""

from enum import Enum, auto

from bargein_server.detection.evidence import Evidence
from bargein_server.detection.timing import FRAME, Timing, samples

LEAST_PAST = samples(100)
"""Audio before the onset that shows what the room is like; with less the pre-roll begins at 0."""


class OverlapState(Enum):
    """Where an overlap stands."""

    LISTENING = auto()
    AWAITING = auto()
    DECIDED = auto()
    CLOSED = auto()


class OverlapEvent(Enum):
    """What can happen to an overlap."""

    PROVEN = auto()
    """It is an interruption: by the model, the VAD or the transcript."""
    ENDED_WITH_QUESTIONS = auto()
    """Its sound ended while answers of the model are due."""
    ENDED = auto()
    """Its sound ended and nothing is due."""
    ANSWERED = auto()
    """The last answer came and proved nothing."""
    ABANDONED = auto()
    """The agent stopped or the session ended."""


TRANSITIONS: dict[OverlapState, dict[OverlapEvent, OverlapState]] = {
    OverlapState.LISTENING: {
        OverlapEvent.PROVEN: OverlapState.DECIDED,
        OverlapEvent.ENDED_WITH_QUESTIONS: OverlapState.AWAITING,
        OverlapEvent.ENDED: OverlapState.CLOSED,
        OverlapEvent.ABANDONED: OverlapState.CLOSED,
    },
    OverlapState.AWAITING: {
        OverlapEvent.PROVEN: OverlapState.CLOSED,
        OverlapEvent.ANSWERED: OverlapState.CLOSED,
        OverlapEvent.ABANDONED: OverlapState.CLOSED,
    },
    OverlapState.DECIDED: {
        OverlapEvent.ENDED: OverlapState.CLOSED,
        OverlapEvent.ABANDONED: OverlapState.CLOSED,
    },
    OverlapState.CLOSED: {},
}

UNDECIDED = {OverlapState.LISTENING, OverlapState.AWAITING}


class Overlap:
    """User sound while the agent is speaking.

    Args:
        overlap_id: 1, 2, 3 … per session.
        onset: position at which it began.
        sound_end: end of its sound so far.
        keep_until: position before which silence does not end it (a client's hint came first).
    """

    def __init__(self, overlap_id: int, *, onset: int, sound_end: int, keep_until: int) -> None:
        self.overlap_id = overlap_id
        self.onset = onset
        self.sound_end = max(onset, sound_end)
        self.keep_until = keep_until
        self.state = OverlapState.LISTENING
        self.predictions = 0
        self._epoch = -1
        self._asked_to: int | None = None
        self._due: set[int] = set()
        self._retry_at = 0

    @property
    def undecided(self) -> bool:
        """Whether its verdict is still to come."""
        return self.state in UNDECIDED

    @property
    def sound(self) -> int:
        """How much sound it has held so far, from the onset to the end of the latest sound."""
        return self.sound_end - self.onset

    @property
    def questions(self) -> bool:
        """Whether answers of the model are due."""
        return bool(self._due)

    @property
    def asked_to(self) -> int | None:
        """The end of the audio last asked about; None if the next request starts a fresh stream."""
        return self._asked_to

    def apply(self, event: OverlapEvent) -> bool:
        """Move on by `event`; False if it does not concern the overlap any more."""
        target = TRANSITIONS[self.state].get(event)
        if target is None:
            return False
        self.state = target
        return True

    def start_over(self, epoch: int, timing: Timing, *, retry_at: int = 0) -> None:
        """Void all that was asked and heard; ask afresh from position `retry_at` on."""
        self._epoch = epoch
        self._asked_to = None
        self._due.clear()
        self._retry_at = retry_at
        self.evidence = Evidence(self.onset, timing.min_frames)

    def next_request(self, heard: int, timing: Timing) -> tuple[int, int] | None:
        """(start, end) of the audio to ask about next, now that audio was heard up to `heard`.

        A start before 0 asks for a whole pre-roll though the session is too young for one.
        """
        if self._asked_to is not None:
            end = self._asked_to + timing.hop
            return (self._asked_to, end) if end <= heard else None
        if self.sound < timing.min_speech or heard < self._retry_at:
            return None
        earliest = -timing.pre_roll if self.onset >= LEAST_PAST else 0
        start = max(earliest, self.onset - timing.pre_roll, heard - timing.window)
        return start, start + (heard - start) // FRAME * FRAME

    def asked(self, end: int) -> None:
        """A request for audio up to `end` was made."""
        self._asked_to = end
        self._due.add(end)

    def expects(self, epoch: int, end: int) -> bool:
        """Whether an answer with these tags belongs to a request that still counts."""
        return epoch == self._epoch and end in self._due

    def answered(self, end: int) -> None:
        """An answer came, or never will."""
        self._due.discard(end)
