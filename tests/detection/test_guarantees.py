"""Random interleavings of every input; the guarantees of the design hold in each of them."""

from collections import Counter

from bargein_protocol.options import Options, merge_options
from bargein_server.detection import inputs, outputs
from bargein_server.detection.detector import Detector
from bargein_server.detection.timing import FRAME, samples
from bargein_server.detection.transcripts import MAX_HELD
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from support.echo import Found
from support.traces import SoundVad, probabilities

durations = st.integers(min_value=5, max_value=1000)
offsets_ms = st.integers(min_value=-2000, max_value=500)
chances = st.sampled_from([0.0, 0.2, 0.49, 0.5, 0.9, 1.0])
changes = st.fixed_dictionaries(
    {},
    optional={
        "overlap": st.sampled_from(["server", "client"]),
        "threshold": st.sampled_from([0.3, 0.5, 0.8]),
        "min_frames": st.integers(1, 4),
        "min_speech_ms": st.sampled_from([25, 100, 500]),
        "hop_ms": st.sampled_from([25, 100, 300]),
        "backchannel_boundary_ms": st.sampled_from([None, 0, 700, [500, 0], [0, 1500]]),
        "cooldown_ms": st.sampled_from([0, 300, 2000]),
        "gate_transcripts": st.booleans(),
        "transcript_hold_ms": st.sampled_from([0, 400, 5000]),
        "transcript_min_words": st.sampled_from([None, 2]),
        "false_interruption_ms": st.sampled_from([None, 0, 1000]),
        "hangover_ms": st.sampled_from([20, 50, 400]),
        "predictions": st.booleans(),
    },
)


class Guarantees(RuleBasedStateMachine):
    """A session whose client, user, agent and model do whatever they like."""

    @initialize(options=changes, two_tracks=st.booleans())
    def begin(self, options: dict[str, object], two_tracks: bool) -> None:
        self.options = merge_options(Options(threshold=0.5), options)
        self.echo_delay: int | None = None
        echo = Found(lambda _user, _agent: self.echo_delay) if two_tracks else None
        self.detector = Detector(self.options, vad=lambda _: SoundVad(), echo=echo)
        self.sounding = False
        self.agent_speaking = False
        self.ended = False
        self.opened: dict[int, outputs.OverlapOpened] = {}
        self.verdicts: Counter[int] = Counter()
        self.asked: dict[tuple[int, int, int], outputs.RequestPrediction] = {}
        self.streams: dict[int, tuple[int, int]] = {}
        self.closed_streams: set[int] = set()
        self.interrupted: set[int] = set()
        self.taken_back: Counter[int] = Counter()
        self.words: list[str] = []
        self.left: list[str] = []
        self.decided_at: int | None = None

    # ------------------------------------------------------------------ what can happen

    @rule(ms=durations)
    def audio(self, ms: int) -> None:
        pcm = (b"\x10\x20" if self.sounding else b"\0\0") * samples(ms)
        self.give(inputs.UserAudio(pcm))

    @rule(ms=durations)
    def agent_audio(self, ms: int) -> None:
        self.give(inputs.AgentAudio(b"\x01\x01" * samples(ms)))

    @rule(late=st.none() | st.integers(0, samples(600)))
    def echo(self, late: int | None) -> None:
        self.echo_delay = late

    @rule(sounding=st.booleans())
    def user(self, sounding: bool) -> None:
        self.sounding = sounding

    @rule(ms=durations, tick=st.booleans())
    def silence(self, ms: int, tick: bool) -> None:
        self.give(inputs.Tick(samples(ms)) if tick else inputs.Gap(samples(ms)))

    @rule(offset=offsets_ms, start=st.booleans())
    def agent(self, offset: int, start: bool) -> None:
        at = max(0, self.detector.position + samples(offset))
        self.give(inputs.AgentStarted(at) if start else inputs.AgentStopped(at))

    @rule(offset=offsets_ms, ms=durations)
    def overlap_started(self, offset: int, ms: int) -> None:
        at = max(0, self.detector.position + samples(offset))
        self.give(inputs.OverlapStarted(at, samples(ms)))

    @rule(offset=offsets_ms)
    def overlap_ended(self, offset: int) -> None:
        self.give(inputs.OverlapEnded(max(0, self.detector.position + samples(offset))))

    @rule(offset=offsets_ms, ms=durations, final=st.booleans(), timed=st.booleans())
    def transcript(self, offset: int, ms: int, final: bool, timed: bool) -> None:
        name = f"t{len(self.words)}"
        self.words.append(name)
        end = max(0, self.detector.position + samples(offset)) if timed else None
        start = None if end is None else max(0, end - samples(ms))
        self.give(inputs.Transcript(name, "some words", start, end, final))

    @rule(change=changes)
    def update(self, change: dict[str, object]) -> None:
        self.options = merge_options(self.options, change)
        self.give(inputs.OptionsChanged(self.options))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), p=chances, rest=st.sampled_from(["backchannel", "noise", "echo"]))
    def answer(self, data: st.DataObject, p: float, rest: str) -> None:
        request = self.asked.pop(data.draw(st.sampled_from(sorted(self.asked))))
        frames = (probabilities(p, rest),) * (len(request.audio) // (2 * FRAME))
        self.give(
            inputs.Prediction(request.overlap_id, request.epoch, request.at, frames, 5), request
        )

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), cause=st.sampled_from(["error", "timeout", "overload"]))
    def fail(self, data: st.DataObject, cause: str) -> None:
        request = self.asked.pop(data.draw(st.sampled_from(sorted(self.asked))))
        self.give(
            inputs.PredictionFailed(
                request.overlap_id,
                request.epoch,
                request.at,
                cause,  # type: ignore[arg-type]
            ),
            request,
        )

    # ------------------------------------------------------------------ what must hold

    def give(self, value: inputs.Input, answered: outputs.RequestPrediction | None = None) -> None:
        self.position_before = self.detector.position
        for output in self.detector.handle(value):
            try:
                self.check(output, answered)
            except AssertionError:
                del self.detector  # the story ends here; nothing is checked at its end
                raise

    def check(
        self, output: outputs.Output, answered: outputs.RequestPrediction | None = None
    ) -> None:
        match output:
            case outputs.OverlapOpened():
                assert output.overlap_id == len(self.opened) + 1, "numbered in order"
                assert output.onset <= output.at
                assert output.at >= self.cool_until(), "no overlap opens in a cooldown"
                self.opened[output.overlap_id] = output
            case outputs.Interruption() | outputs.NonInterruption():
                self.check_verdict(output, answered)
            case outputs.RequestPrediction():
                self.check_request(output)
            case outputs.StreamEnded():
                assert output.overlap_id not in self.closed_streams
                self.closed_streams.add(output.overlap_id)
            case outputs.TranscriptReleased() | outputs.TranscriptDropped():
                self.left.append(output.id)
            case outputs.FalseInterruption():
                assert output.overlap_id in self.interrupted
                self.taken_back[output.overlap_id] += 1
                assert self.taken_back[output.overlap_id] == 1, "sent once"
            case _:
                pass

    def cool_until(self) -> int:
        """By the options in effect now, not by those of the verdict."""
        if self.decided_at is None or not self.options.cooldown_ms:
            return 0
        return self.decided_at + samples(self.options.cooldown_ms)

    def check_verdict(
        self, verdict: outputs.Verdict, answered: outputs.RequestPrediction | None
    ) -> None:
        assert verdict.overlap_id in self.opened
        self.verdicts[verdict.overlap_id] += 1
        assert self.verdicts[verdict.overlap_id] == 1, "one overlap, one verdict"
        assert verdict.onset == self.opened[verdict.overlap_id].onset
        assert verdict.at >= verdict.onset
        # What has been heard trails the position by less than a VAD frame.
        self.decided_at = max(verdict.at, self.position_before - 160)
        if isinstance(verdict, outputs.Interruption):
            self.interrupted.add(verdict.overlap_id)
            if verdict.source == "model":
                assert answered is not None
                assert answered.overlap_id == verdict.overlap_id, "the window's own overlap"
                assert verdict.probability is not None
                assert self.options.threshold is not None
                assert verdict.probability >= self.options.threshold

    def check_request(self, request: outputs.RequestPrediction) -> None:
        assert request.overlap_id in self.opened
        assert not self.verdicts[request.overlap_id], "nothing is asked about a decided overlap"
        length, rest = divmod(len(request.audio), 2 * FRAME)
        assert length >= 1
        assert rest == 0, "whole frames"
        assert request.reference is None or len(request.reference) == len(request.audio)
        stream = self.streams.get(request.overlap_id)
        if not request.fresh:
            assert stream == (request.epoch, request.at - length * FRAME), "contiguous"
        else:
            assert length * FRAME <= samples(self.options.window_ms)
        self.streams[request.overlap_id] = (request.epoch, request.at)
        self.asked[request.overlap_id, request.epoch, request.at] = request

    @invariant()
    def words_keep_their_order_and_are_bounded(self) -> None:
        if hasattr(self, "detector"):
            assert self.left == self.words[: len(self.left)]
            assert len(self.words) - len(self.left) <= MAX_HELD
            if not self.options.gate_transcripts:
                assert self.left == self.words

    @invariant()
    def at_rest_nothing_is_undecided_but_what_the_model_owes(self) -> None:
        if hasattr(self, "detector") and not self.detector.waiting:
            owed = {i for i, epoch, _ in self.asked if epoch == self.streams[i][0]}
            assert set(self.opened) - set(self.verdicts) <= owed

    @invariant()
    def memory_is_bounded(self) -> None:
        if hasattr(self, "detector"):
            assert self.detector.audio_held <= samples(self.options.window_ms + 1500) * 2 + samples(
                3000
            )

    def teardown(self) -> None:
        if not hasattr(self, "detector"):
            return
        self.give(inputs.SessionEnded())
        assert set(self.verdicts) == set(self.opened), "every overlap has its verdict at the end"
        assert self.left == self.words, "every word has left at the end"
        assert self.closed_streams == set(self.opened)
        for request in list(self.asked.values()):
            late = inputs.Prediction(
                request.overlap_id, request.epoch, request.at, (probabilities(1.0),) * 2, 5
            )
            assert self.detector.handle(late) == [], "nothing follows the end"


Guarantees.TestCase.settings = settings(max_examples=300, stateful_step_count=50)
TestGuarantees = Guarantees.TestCase
