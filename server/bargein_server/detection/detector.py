"""The detector: a session's inputs in, in order; what others must know or do, out.

The clock is the audio. `position` counts the samples that came in; `heard` trails it by less than
one VAD frame and is the position up to which the VAD has spoken. Markers that speak of a later
moment wait for it. Nothing here reads a clock, blocks, or knows the model.
"""

from collections import Counter
from collections.abc import Callable
from operator import itemgetter
from typing import assert_never

from bargein_protocol.errors import WarningCode
from bargein_protocol.options import Options

from bargein_server.detection.agenda import Agenda, Marker
from bargein_server.detection.agent import AgentTurn
from bargein_server.detection.false_interruption import FalseInterruptionWatch
from bargein_server.detection.inputs import (
    AgentAudio,
    AgentStarted,
    AgentStopped,
    Gap,
    Input,
    OptionsChanged,
    OverlapEnded,
    OverlapStarted,
    Prediction,
    PredictionFailed,
    SessionEnded,
    Tick,
    Transcript,
    UserAudio,
)
from bargein_server.detection.outputs import (
    Ended,
    FalseInterruption,
    Interruption,
    NonInterruption,
    OptionsTaken,
    Output,
    OverlapClosed,
    OverlapOpened,
    SpeechOffset,
    SpeechOnset,
    Warned,
)
from bargein_server.detection.overlaps import Overlaps
from bargein_server.detection.speech import MarkedSpeech, Speech, SpeechChange, SpeechGate
from bargein_server.detection.timing import Timing
from bargein_server.detection.tracks import Echo, Tracks
from bargein_server.detection.transcripts import Outcome, TranscriptGate, Words
from bargein_server.detection.vad import Vad
from bargein_server.detection.window import BYTES


class Detector:
    """One session's detector.

    Args:
        options: effective options; `threshold` is resolved.
        vad: makes the VAD that the options ask for.
        echo: the agent's in the user's audio; None: no agent audio will come.
    """

    def __init__(
        self, options: Options, *, vad: Callable[[Options], Vad], echo: Echo | None
    ) -> None:
        self._options = options
        self._timing = timing = Timing.of(options)
        self._make_vad = vad
        self._vad = vad(options)
        self._gate = SpeechGate(self._vad.frame_samples, timing.onset, timing.hangover)
        self._marked = MarkedSpeech()
        self._hinted = (0, 0)
        self._agent = AgentTurn()
        self._tracks = Tracks(echo)
        self._overlaps = Overlaps(timing, self._agent, self._tracks)
        self._transcripts = TranscriptGate(timing)
        self._watch = FalseInterruptionWatch()
        self._heard = 0
        self._unheard = b""
        self._deadline: int | None = None
        self._agenda = Agenda()
        self._counts: Counter[type[Output | Transcript]] = Counter()
        self._out: list[Output] = []

    @property
    def position(self) -> int:
        """Samples of user audio so far, gaps and ticks included."""
        return self._tracks.user.end

    @property
    def waiting(self) -> bool:
        """Whether something can come about by silence alone, so that time must not stand still."""
        return not self._resting

    @property
    def audio_held(self) -> int:
        """Samples of audio in memory, both tracks together."""
        return self._tracks.held

    def handle(self, event: Input) -> list[Output]:
        """Take one input; returns what follows from it, in order."""
        self._out = []
        match event:
            case UserAudio():
                self._hear(event.pcm, silent=False)
                return self._out
            case AgentAudio():
                self._tracks.append_agent(event.pcm)
                return self._out
            case Gap() | Tick():
                self._hear(bytes(event.duration * BYTES), silent=True)
            case AgentStarted() | AgentStopped() | OverlapStarted() | OverlapEnded():
                self._schedule(event)
            case Transcript():
                self._transcript(event)
            case OptionsChanged():
                self._configure(event.options)
            case Prediction():
                self._say(self._overlaps.answer(event, self._heard))
            case PredictionFailed():
                self._prediction_failed(event)
            case SessionEnded():
                self._end()
            case _:
                assert_never(event)
        self._deadline = self._next_deadline()
        return self._out

    # ---------------------------------------------------------------- audio and deadlines

    def _hear(self, pcm: bytes, *, silent: bool) -> None:
        """Take user audio frame by frame; nearly all of it is silence, so that path is short."""
        self._tracks.user.append(pcm)
        if self._unheard:
            pcm = self._unheard + pcm
        frame, is_speech = self._vad.frame_samples, self._vad.is_speech
        size, start, end = frame * BYTES, 0, frame * BYTES
        while end <= len(pcm):
            voiced = not silent and is_speech(pcm[start:end])
            self._heard += frame
            if voiced or not self._resting:
                self._step(self._heard, voiced=voiced)
            start, end = end, end + size
        self._unheard = pcm[start:]
        self._tracks.forget(self._heard, self._overlaps.oldest_needed, self._timing)

    @property
    def _resting(self) -> bool:
        """Whether one more frame of silence would change nothing."""
        return (
            self._deadline is None
            and self._gate.resting
            and self._overlaps.current is None
            and not self._marked.sounding
        )

    def _step(self, heard: int, *, voiced: bool) -> None:
        said = len(self._out)
        change = self._gate.hear(voiced=voiced, end=heard)
        if change is not SpeechChange.NONE:
            self._speech_changed(change)
        self._marked.hear(heard)
        self._say(self._overlaps.follow(self._speech, heard))
        if len(self._out) > said:
            self._deadline = self._next_deadline()
        while self._deadline is not None and heard >= self._deadline:
            self._expire(heard)
            self._deadline = self._next_deadline()

    def _speech_changed(self, change: SpeechChange) -> None:
        gate = self._gate
        if change is SpeechChange.ONSET:
            self._out.append(SpeechOnset(at=gate.onset))
        else:
            self._out.append(SpeechOffset(at=gate.sound_end))
        if self._speech is gate:
            self._watch.follow(gate)

    def _next_deadline(self) -> int | None:
        due = (
            self._transcripts.deadline,
            self._watch.deadline(self._timing.false_interruption),
            self._agenda.deadline,
        )
        return min((position for position in due if position is not None), default=None)

    def _expire(self, heard: int) -> None:
        self._mark_until(heard)
        self._say(self._transcripts.expire(heard))
        quiet_until = self._watch.deadline(self._timing.false_interruption)
        if quiet_until is not None and quiet_until <= heard:
            self._false_interruption(heard)

    def _false_interruption(self, heard: int) -> None:
        if not self._counts[Transcript] and not self._counts[FalseInterruption]:
            self._say([Warned(at=heard, code=WarningCode.NO_TRANSCRIPTS)])
        self._say([FalseInterruption(at=heard, overlap_id=self._watch.expire())])

    # ---------------------------------------------------------------- markers

    @property
    def _speech(self) -> Speech:
        return self._marked if self._timing.overlap == "client" else self._gate

    def _schedule(self, marker: Marker) -> None:
        if isinstance(marker, AgentStopped) and not self._agent.speaking:
            self._agenda.call_off(marker.at)
        self._agenda.add(marker)
        if marker.at <= self.position:
            self._mark_until(marker.at)  # what was announced for an earlier moment comes first

    def _mark_until(self, position: int) -> None:
        for marker in self._agenda.due(position):
            self._mark(marker)

    def _mark(self, marker: Marker) -> None:
        now = max(self._heard, marker.at)
        match marker:
            case AgentStarted():
                self._agent_started(marker.at, now)
            case AgentStopped():
                self._agent_stopped(marker.at, now)
            case OverlapStarted():
                self._client_onset(marker, now)
            case OverlapEnded():
                self._client_offset(marker.at, now)
            case _:
                assert_never(marker)

    def _agent_started(self, at: int, now: int) -> None:
        if self._agent.start(at):
            self._watch.forget()  # a new turn answers whatever was said
            self._transcripts.agent_started()
            self._say(self._overlaps.follow(self._speech, now))

    def _agent_stopped(self, at: int, now: int) -> None:
        if self._agent.ends(at):
            self._say(self._overlaps.abandon("agent_stopped", at, now))
            self._agent.stop(at)
            self._say(self._transcripts.agent_stopped(at))

    def _client_onset(self, marker: OverlapStarted, now: int) -> None:
        onset = max(0, marker.at - marker.speech_duration)
        if self._timing.overlap == "server":
            self._hinted = (onset, marker.at)
            self._watch.hint(marker.at)
            self._say(self._overlaps.hint(onset, marker.at, now))
        else:
            self._marked.begin(onset)
            self._marked.hear(now)
            self._watch.follow(self._marked)
            self._say(self._overlaps.follow(self._marked, now))

    def _client_offset(self, at: int, now: int) -> None:
        if self._timing.overlap == "client":
            self._marked.finish(at)
            self._watch.follow(self._marked)
        if not self._speech.sounding:
            self._say(self._overlaps.end(now))

    # ---------------------------------------------------------------- words, options, model, end

    def _transcript(self, event: Transcript) -> None:
        speech, now = self._speech, self._heard
        sound = speech.onset, now if speech.sounding else speech.sound_end
        onset, latest = max(sound, self._hinted, key=itemgetter(1))
        end = latest if event.end is None else event.end
        start = min(end, onset if event.start is None else event.start)
        words = Words(name=event.id, text=event.text, start=start, end=end, final=event.final)
        self._counts[Transcript] += 1
        if event.final:
            self._watch.transcript(end)
        overlap_id = self._transcripts.undecided_overlap(words)
        gated = self._timing.gate_transcripts and not self._overlaps.model_failing
        self._say(self._transcripts.offer(words, now, gated=gated))
        enough = self._timing.transcript_min_words
        if overlap_id is not None and enough is not None and len(event.text.split()) >= enough:
            self._say(self._overlaps.prove_by_transcript(overlap_id, now))

    def _configure(self, options: Options) -> None:
        before, self._options = self._options, options
        timing = self._timing = Timing.of(options)
        if (before.vad, before.vad_aggressiveness) != (options.vad, options.vad_aggressiveness):
            self._vad = self._make_vad(options)
        if before.overlap != options.overlap:
            self._hand_over()
        if before.false_interruption_ms is None or options.false_interruption_ms is None:
            self._watch.forget()
        self._gate.configure(self._vad.frame_samples, timing.onset, timing.hangover)
        self._out.append(OptionsTaken(at=self._heard, options=options))
        self._say(self._transcripts.configure(timing, self._heard))
        self._say(self._overlaps.configure(timing, self._heard))

    def _hand_over(self) -> None:
        """From the VAD's word to the client's, a sound goes on; back, the client's word is over."""
        self._marked.finish(self._heard)
        if self._timing.overlap == "client" and self._gate.sounding:
            self._marked.begin(self._gate.onset)
            self._marked.hear(self._heard)
        self._watch.follow(self._speech)

    def _prediction_failed(self, event: PredictionFailed) -> None:
        self._say(self._overlaps.failure(event, self._heard))
        if self._overlaps.model_failing:
            self._say(self._transcripts.release_all(self._heard))

    def _end(self) -> None:
        self._say(self._overlaps.abandon("session_closed", self._heard, self._heard))
        self._agent.stop(self._heard)
        self._watch.forget()
        self._agenda.clear()
        self._say(self._transcripts.release_all(self._heard))
        self._out.append(
            Ended(
                at=self._heard,
                overlaps=self._overlaps.count,
                interruptions=self._counts[Interruption],
                non_interruptions=self._counts[NonInterruption],
                false_interruptions=self._counts[FalseInterruption],
                predictions=self._overlaps.predictions,
            )
        )

    # ---------------------------------------------------------------- consequences

    def _say(self, outputs: list[Output]) -> None:
        """Put outputs out; what happens to an overlap takes effect on the words spoken in it."""
        for output in outputs:
            self._out.append(output)
            self._counts[type(output)] += 1
            match output:
                case OverlapOpened():
                    self._transcripts.overlap_opened(output.overlap_id, output.onset)
                case OverlapClosed():
                    self._transcripts.overlap_ended(output.overlap_id, output.at)
                case Interruption():
                    self._watch.interrupted(output.overlap_id, output.onset, self._speech)
                    self._settle_words(output, Outcome.INTERRUPTION)
                case NonInterruption():
                    certain = Outcome.REJECTED if output.conclusive else Outcome.INCONCLUSIVE
                    self._settle_words(output, certain)
                case _:
                    pass

    def _settle_words(self, verdict: Interruption | NonInterruption, outcome: Outcome) -> None:
        reason = verdict.reason if isinstance(verdict, NonInterruption) else "backchannel"
        self._say(self._transcripts.decided(verdict.overlap_id, outcome, reason, self._heard))
