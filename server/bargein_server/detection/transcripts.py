"""Holds the user's words until it is known whether they are a turn.

    fate        meaning                                              becomes
    ──────────  ───────────────────────────────────────────────────  ─────────────────────────
    WAITING     spoken in an overlap without a verdict                RELEASE, DROPPING, DROP
    DROPPING    spoken in a rejected overlap, but the agent may stop  RELEASE, DROP
                within the end boundary, and then they are an answer
    RELEASE     the user's turn                                       sent
    DROP        words of a sound that was no interruption             sent as dropped

Words are an overlap's if they touch it, but a rejected one's only with half of their time: what
the user went on to say beside it is their turn.

Words leave in the order in which they came, so one that is settled may stand behind one that is
not. None is held longer than `transcript_hold`, and no more than `MAX_HELD` at once.
"""

from collections import deque
from enum import Enum, auto

from bargein_protocol.errors import WarningCode
from bargein_protocol.messages import Reason

from bargein_server.detection.outputs import (
    Output,
    TranscriptDropped,
    TranscriptReleased,
    Warned,
)
from bargein_server.detection.timing import Timing

MAX_HELD = 256
"""Transcripts held at once; one more releases the oldest."""
MAX_SPANS = 32
"""Past overlaps that late words are still matched with."""


class Fate(Enum):
    """Where a held transcript stands."""

    WAITING = auto()
    DROPPING = auto()
    RELEASE = auto()
    DROP = auto()


class Outcome(Enum):
    """What an overlap's verdict means for the words spoken in it; listed by precedence."""

    INTERRUPTION = auto()
    UNDECIDED = auto()
    INCONCLUSIVE = auto()
    REJECTED = auto()


class Words:
    """A transcript with its place on the audio clock (start and end in samples)."""

    def __init__(self, *, name: str, text: str, start: int, end: int, final: bool) -> None:
        self.name = name
        self.text = text
        self.start = start
        self.end = end
        self.final = final
        self.fate = Fate.WAITING
        self.overlap_id: int | None = None
        self.since = 0
        """The position at which they began to wait as they do."""
        self.reason: Reason = "backchannel"


class _Span:
    """The part of the clock that an overlap takes up, and what became of it."""

    def __init__(self, overlap_id: int, onset: int) -> None:
        self.overlap_id = overlap_id
        self.onset = onset
        self.end: int | None = None
        self.outcome = Outcome.UNDECIDED
        self.reason: Reason = "backchannel"

    def holds(self, words: Words) -> bool:
        return self.onset <= words.end and (self.end is None or words.start <= self.end)

    def common(self, words: Words) -> int:
        """Samples of the words' time that are the overlap's, too."""
        end = words.end if self.end is None else min(self.end, words.end)
        return max(0, end - max(self.onset, words.start))


class TranscriptGate:
    """The queue of held words; every method returns what leaves it, in order."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._held: deque[Words] = deque()
        self._spans: dict[int, _Span] = {}
        self._agent_stopped: int | None = None

    @property
    def deadline(self) -> int | None:
        """The position at which `expire` has something to do."""
        due = map(self._due, self._held)
        return min((deadline for deadline in due if deadline is not None), default=None)

    def undecided_overlap(self, words: Words) -> int | None:
        """The overlap without a verdict in which these words were spoken."""
        span = self._span_of(words)
        return span.overlap_id if span and span.outcome is Outcome.UNDECIDED else None

    def offer(self, words: Words, at: int, *, gated: bool) -> list[Output]:
        """New words; without `gated` they pass at once."""
        span = self._span_of(words) if gated else None
        if span is None or span.outcome in {Outcome.INTERRUPTION, Outcome.INCONCLUSIVE}:
            words.fate = Fate.RELEASE
        elif span.outcome is Outcome.REJECTED:
            self._reject(words, span.reason, at)
        else:
            words.overlap_id, words.since = span.overlap_id, at
        self._held.append(words)
        overflow: list[Output] = []
        if len(self._held) > MAX_HELD:
            self._held[0].fate = Fate.RELEASE
            overflow.append(Warned(at=at, code=WarningCode.TRANSCRIPTS_OVERFLOW))
        return overflow + self.expire(at)

    def overlap_opened(self, overlap_id: int, onset: int) -> None:
        """Words spoken from `onset` on wait."""
        self._spans[overlap_id] = _Span(overlap_id, onset)
        settled = [i for i, s in self._spans.items() if s.outcome is not Outcome.UNDECIDED]
        for old in settled[: max(0, len(self._spans) - MAX_SPANS)]:
            del self._spans[old]

    def overlap_ended(self, overlap_id: int, end: int) -> None:
        """The overlap's sound is over; later words are not its words."""
        if overlap_id in self._spans:
            self._spans[overlap_id].end = end

    def decided(self, overlap_id: int, outcome: Outcome, reason: Reason, at: int) -> list[Output]:
        """The overlap has its verdict; settles the words that waited for it."""
        span = self._spans.get(overlap_id)
        if span is None:
            return []
        span.outcome, span.reason = outcome, reason
        if outcome is Outcome.INCONCLUSIVE:
            return self.release_all(at)
        for words in self._held:
            if words.overlap_id == overlap_id and words.fate is Fate.WAITING:
                self._settle(words, span, at)
        return self.expire(at)

    def agent_started(self) -> None:
        """A new agent turn; what the last one's end meant is over."""
        self._agent_stopped = None

    def agent_stopped(self, at: int) -> list[Output]:
        """Words that end within the end boundary before `at` answer the agent's last sentence."""
        self._agent_stopped = at
        for words in self._held:
            if words.fate is Fate.DROPPING:
                words.fate = self._fate_at_agent_stop(words, at)
        return self._flush(at)

    def configure(self, timing: Timing, at: int) -> list[Output]:
        """New options, for those that wait, too.

        A gate turned off releases all, a boundary turned off ends its waits.
        """
        self._timing = timing
        if not timing.gate_transcripts:
            return self.release_all(at)
        if timing.end_boundary is None:
            for words in self._held:
                if words.fate is Fate.DROPPING:
                    words.fate = Fate.DROP
        return self.expire(at)

    def release_all(self, at: int) -> list[Output]:
        """Let everything go that is not settled as dropped."""
        for words in self._held:
            if words.fate in {Fate.WAITING, Fate.DROPPING}:
                words.fate = Fate.RELEASE
        return self._flush(at)

    def expire(self, at: int) -> list[Output]:
        """Settle what has waited long enough."""
        for words in self._held:
            deadline = self._due(words)
            if deadline is not None and deadline <= at:
                words.fate = Fate.RELEASE if words.fate is Fate.WAITING else Fate.DROP
        return self._flush(at)

    def _due(self, words: Words) -> int | None:
        """When they have waited long enough, by today's options."""
        if words.fate is Fate.WAITING:
            return words.since + self._timing.transcript_hold
        if words.fate is Fate.DROPPING:
            return max(words.since, words.end + (self._timing.end_boundary or 0))
        return None

    def _settle(self, words: Words, span: _Span, at: int) -> None:
        """By the verdict on the overlap they waited for, unless they are another one's as well."""
        now_of = self._span_of(words) if span.outcome is Outcome.REJECTED else None
        if now_of is not None and now_of.outcome is Outcome.UNDECIDED:
            words.overlap_id = now_of.overlap_id
        elif now_of is not None and now_of.outcome is Outcome.REJECTED:
            self._reject(words, span.reason, at)
        else:
            words.fate = Fate.RELEASE

    def _reject(self, words: Words, reason: Reason, at: int) -> None:
        words.reason = reason
        if 2 * sum(span.common(words) for span in self._spans.values()) < words.end - words.start:
            words.fate = Fate.RELEASE
        elif self._timing.end_boundary is None:
            words.fate = Fate.DROP
        elif self._agent_stopped is not None:
            words.fate = self._fate_at_agent_stop(words, self._agent_stopped)
        else:
            words.fate, words.since = Fate.DROPPING, at

    def _fate_at_agent_stop(self, words: Words, stopped: int) -> Fate:
        boundary = self._timing.end_boundary
        answers = boundary is not None and words.end >= stopped - boundary
        return Fate.RELEASE if answers else Fate.DROP

    def _span_of(self, words: Words) -> _Span | None:
        held_by = [span for span in self._spans.values() if span.holds(words)]
        return min(held_by, key=lambda span: span.outcome.value, default=None)

    def _flush(self, at: int) -> list[Output]:
        out: list[Output] = []
        while self._held and self._held[0].fate in {Fate.RELEASE, Fate.DROP}:
            words = self._held.popleft()
            out.append(_released(words, at) if words.fate is Fate.RELEASE else _dropped(words, at))
        return out


def _released(words: Words, at: int) -> TranscriptReleased:
    return TranscriptReleased(
        at=at,
        id=words.name,
        text=words.text,
        start=words.start,
        end=words.end,
        final=words.final,
    )


def _dropped(words: Words, at: int) -> TranscriptDropped:
    return TranscriptDropped(at=at, id=words.name, reason=words.reason)
