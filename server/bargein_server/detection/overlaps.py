"""Opens overlaps, asks the model about them, and gives each exactly one verdict.

At most one overlap is current: its sound goes on. Any number may be awaiting: their sound ended,
and answers of the model are due. Every method returns what it has to say, in order.
"""

from enum import Enum, auto

from bargein_protocol.errors import WarningCode
from bargein_protocol.messages import Reason, Source

from bargein_server.detection.agent import AgentTurn
from bargein_server.detection.inputs import Prediction, PredictionFailed
from bargein_server.detection.outputs import (
    Interruption,
    NonInterruption,
    Output,
    OverlapClosed,
    OverlapOpened,
    PredictionHeard,
    RequestPrediction,
    StreamEnded,
    Warned,
)
from bargein_server.detection.overlap import Overlap, OverlapEvent
from bargein_server.detection.speech import Speech
from bargein_server.detection.timing import Timing, samples
from bargein_server.detection.tracks import Tracks

RETRY = samples(500)
"""How long to leave a failing model alone."""


class ModelState(Enum):
    """Whether the model can be relied on."""

    ANSWERING = auto()
    FAILING = auto()
    """The last answer was a failure; verdicts come by VAD."""


class Overlaps:
    """All overlaps of a session.

    Args:
        timing: the options in effect.
        agent: the agent's turns.
        tracks: the recent audio.
    """

    def __init__(self, timing: Timing, agent: AgentTurn, tracks: Tracks) -> None:
        self._timing = timing
        self._agent = agent
        self._tracks = tracks
        self._epoch = 0
        self._model = ModelState.ANSWERING
        self.current: Overlap | None = None
        """The overlap whose sound goes on."""
        self._awaiting: list[Overlap] = []
        self._verdict_at: int | None = None
        self._not_before = 0
        self._last_end = -1
        self.count = 0
        """Overlaps opened so far."""
        self.predictions = 0
        """Answers of the model that counted so far."""

    @property
    def model_failing(self) -> bool:
        """Whether verdicts come by VAD for now."""
        return self._model is ModelState.FAILING

    @property
    def oldest_needed(self) -> int | None:
        """The earliest position whose audio may still be asked about; None: no overlap is open."""
        earliest = min((overlap.onset for overlap in self._all()), default=None)
        return None if earliest is None else earliest - self._timing.pre_roll

    @property
    def _cooldown_until(self) -> int:
        """Where the cooldown after the latest verdict ends, by the options in effect."""
        if self._verdict_at is None or not self._timing.cooldown:
            return 0
        return self._verdict_at + self._timing.cooldown

    def follow(self, speech: Speech, heard: int) -> list[Output]:
        """Audio was heard up to `heard`: open, go on with or end the current overlap."""
        current = self.current
        if current is None:
            if not speech.sounding or not self._agent.speaking:
                return []
            return self._open(speech.onset, heard, sound_end=speech.sound_end)
        if speech.sounding:
            current.sound_end = max(current.sound_end, speech.sound_end)
        elif heard >= current.keep_until:
            return self.end(heard)
        return self._listen(current, heard)

    def hint(self, onset: int, sound_end: int, now: int) -> list[Output]:
        """The client heard sound from `onset` to `sound_end`: open an overlap before the VAD does.

        The overlap ends after one hangover unless the VAD hears the sound, too. A hint at a sound
        that had its overlap in this turn of the agent comes too late.
        """
        if self.current is not None or not self._agent.speaking:
            return []
        if max(onset, self._agent.started) <= self._last_end:
            return []
        return self._open(onset, now, sound_end=sound_end, keep_until=now + self._timing.hangover)

    def _open(self, onset: int, at: int, *, sound_end: int, keep_until: int = 0) -> list[Output]:
        """Open an overlap, unless a cooldown runs.

        Sound from before the agent's start or within the cooldown does not count: the overlap
        begins after it, and only if there is sound after it (or a hint at some).
        """
        if at < self._cooldown_until:
            return []
        onset = max(onset, self._agent.started, self._cooldown_until, self._not_before)
        if sound_end <= onset and not keep_until:
            return []
        self.count += 1
        overlap = Overlap(self.count, onset=onset, sound_end=sound_end, keep_until=keep_until)
        overlap.start_over(self._epoch, self._timing)
        self.current = overlap
        opened = OverlapOpened(at=max(at, onset), overlap_id=overlap.overlap_id, onset=onset)
        return [opened, *self._listen(overlap, at)]

    def end(self, at: int) -> list[Output]:
        """The current overlap's sound is over."""
        overlap, self.current = self.current, None
        if overlap is None:
            return []
        self._last_end = overlap.sound_end
        closed = OverlapClosed(at=overlap.sound_end, overlap_id=overlap.overlap_id)
        if overlap.undecided and overlap.questions:
            overlap.apply(OverlapEvent.ENDED_WITH_QUESTIONS)
            self._awaiting.append(overlap)
            return [closed]
        return [closed, *self._reject(overlap, OverlapEvent.ENDED, at)]

    def abandon(self, reason: Reason, at: int, now: int) -> list[Output]:
        """The agent stopped or the session ended at `at`: close every overlap, whatever is due."""
        overlaps, current = self._all(), self.current
        self._awaiting, self.current = [], None
        out: list[Output] = []
        if current is not None:
            closed_at = max(at, current.onset)
            out.append(OverlapClosed(at=closed_at, overlap_id=current.overlap_id))
        for overlap in overlaps:
            if overlap.undecided:
                self._verdict_at = now
                out += self._verdict_no(overlap, reason, "model", at, conclusive=False)
            overlap.apply(OverlapEvent.ABANDONED)
        return out

    def answer(self, prediction: Prediction, now: int) -> list[Output]:
        """The model's answer; dropped unless it was asked for and still counts."""
        overlap = self._asker(prediction)
        if overlap is None:
            return []
        out = self._model_is(ModelState.ANSWERING, now)
        overlap.answered(prediction.end)
        overlap.predictions += 1
        self.predictions += 1
        overlap.evidence.add(prediction.frames, prediction.end)
        if self._timing.report_predictions:
            out.append(
                PredictionHeard(
                    at=prediction.end,
                    overlap_id=overlap.overlap_id,
                    frames=prediction.frames,
                    inference_us=prediction.inference_us,
                )
            )
        best = overlap.evidence.best
        if best is not None and best >= self._timing.threshold:
            return out + self._prove(
                overlap, "model", prediction.end, now, inference_us=prediction.inference_us
            )
        return out + self._settle(overlap, now)

    def failure(self, failed: PredictionFailed, now: int) -> list[Output]:
        """No answer will come: go on by VAD, and ask afresh in a while."""
        overlap = self._asker(failed)
        if overlap is None:
            return []
        out = self._model_is(ModelState.FAILING, now)
        overlap.start_over(self._epoch, self._timing, retry_at=now + RETRY)
        return out + self._prove_by_vad(overlap, now) + self._settle(overlap, now)

    def prove_by_transcript(self, overlap_id: int, at: int) -> list[Output]:
        """The user's words prove that this overlap is an interruption."""
        overlap = self._find(overlap_id)
        return [] if overlap is None else self._prove(overlap, "transcript", at, at)

    def configure(self, timing: Timing, now: int) -> list[Output]:
        """New options; whatever was asked for under the old ones is void and asked afresh."""
        ran = now < self._cooldown_until
        self._timing = timing
        if ran and now >= self._cooldown_until:
            self._not_before = now  # sound of the cooldown that ends here does not count, as ever
        self._epoch += 1
        out: list[Output] = []
        for overlap in tuple(self._awaiting):
            asked_to = overlap.asked_to or now
            overlap.start_over(self._epoch, timing)
            out += self._ask(overlap, asked_to)
            out += self._settle(overlap, now)  # what is too short by now is not asked about
        if self.current is not None and self.current.undecided:
            self.current.start_over(self._epoch, timing)
            out += self._listen(self.current, now)
        return out

    def _listen(self, overlap: Overlap, heard: int) -> list[Output]:
        if not overlap.undecided:
            return []
        return self._ask(overlap, heard) + self._prove_by_vad(overlap, heard)

    def _prove_by_vad(self, overlap: Overlap, heard: int) -> list[Output]:
        """Without a model, and soon after the agent's start, enough speech is an interruption."""
        by_vad = self.model_failing or self._may_be_correction(overlap, heard)
        if not by_vad or overlap.sound < self._timing.vad_min_speech:
            return []
        return self._prove(overlap, "vad", heard, heard)

    def _may_be_correction(self, overlap: Overlap, position: int) -> bool:
        """Whether the model's "no" counts for nothing at `position`: in the start boundary.

        It does if it hears no speech at all: a noisy room sounds at every start of the agent, an
        echo begins with it, and neither is a user who corrects themself.
        """
        early = self._agent.within(position, self._timing.start_boundary)
        return early and overlap.evidence.may_be_speech

    def _ask(self, overlap: Overlap, heard: int) -> list[Output]:
        """What there is to ask; all of it afresh if the agent's echo turns out to come later."""
        out: list[Output] = []
        while (span := overlap.next_request(heard, self._timing)) is not None:
            start, end = span
            if self._tracks.align(end) and overlap.asked_to is not None:
                self._epoch += 1
                overlap.start_over(self._epoch, self._timing)
                continue
            audio, reference = self._tracks.read(start, end, overlap.onset)
            out.append(
                RequestPrediction(
                    at=end,
                    overlap_id=overlap.overlap_id,
                    epoch=self._epoch,
                    fresh=overlap.asked_to is None,
                    audio=audio,
                    reference=reference,
                )
            )
            overlap.asked(end)
        return out

    def _find(self, overlap_id: int) -> Overlap | None:
        return next((o for o in self._all() if o.overlap_id == overlap_id and o.undecided), None)

    def _all(self) -> list[Overlap]:
        return self._awaiting if self.current is None else [*self._awaiting, self.current]

    def _asker(self, answer: Prediction | PredictionFailed) -> Overlap | None:
        overlap = self._find(answer.overlap_id)
        return overlap if overlap and overlap.expects(answer.epoch, answer.end) else None

    def _model_is(self, state: ModelState, at: int) -> list[Output]:
        if state is self._model:
            return []
        self._model = state
        failing = state is ModelState.FAILING
        code = WarningCode.MODEL_FALLBACK if failing else WarningCode.MODEL_RECOVERED
        return [Warned(at=at, code=code)]

    def _settle(self, overlap: Overlap, now: int) -> list[Output]:
        """Close an awaiting overlap to which nothing is due any more."""
        if overlap not in self._awaiting or overlap.questions:
            return []
        self._awaiting.remove(overlap)
        return self._reject(overlap, OverlapEvent.ANSWERED, now)

    def _prove(
        self, overlap: Overlap, source: Source, at: int, now: int, inference_us: int | None = None
    ) -> list[Output]:
        if not overlap.apply(OverlapEvent.PROVEN):
            return []
        if overlap in self._awaiting:
            self._awaiting.remove(overlap)
        self._verdict_at = now
        return [
            StreamEnded(at=now, overlap_id=overlap.overlap_id),
            Interruption(
                at=at,
                overlap_id=overlap.overlap_id,
                onset=overlap.onset,
                probability=overlap.evidence.best,
                probabilities=overlap.evidence.probabilities,
                inference_us=inference_us,
                predictions=overlap.predictions,
                source=source,
            ),
        ]

    def _reject(self, overlap: Overlap, event: OverlapEvent, at: int) -> list[Output]:
        """Close an overlap whose sound ended, with a verdict unless it has one."""
        undecided = overlap.undecided
        overlap.apply(event)
        if not undecided:
            return []
        self._verdict_at = at
        if self._may_be_correction(overlap, overlap.sound_end):
            return self._verdict_no(overlap, "too_short", "vad", at, conclusive=False)
        if overlap.evidence.probabilities:
            return self._verdict_no(overlap, overlap.evidence.reason, "model", at, conclusive=True)
        unheard = self.model_failing
        return self._verdict_no(overlap, "too_short", "vad", at, conclusive=not unheard)

    def _verdict_no(
        self, overlap: Overlap, reason: Reason, source: Source, at: int, *, conclusive: bool
    ) -> list[Output]:
        at = max(at, overlap.onset)  # a stop that was told late may lie before it
        return [
            StreamEnded(at=at, overlap_id=overlap.overlap_id),
            NonInterruption(
                at=at,
                overlap_id=overlap.overlap_id,
                onset=overlap.onset,
                probability=overlap.evidence.best,
                probabilities=overlap.evidence.probabilities,
                predictions=overlap.predictions,
                reason=reason,
                source=source,
                conclusive=conclusive,
            ),
        ]
