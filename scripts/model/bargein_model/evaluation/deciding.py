"""Puts an item to the server's own detector and model, with nobody in between."""

from collections.abc import Iterator
from enum import Enum, auto

from bargein_protocol.options import Options
from bargein_server.audio.cancelling import EchoCanceller
from bargein_server.detection.detector import Detector
from bargein_server.detection.inputs import (
    AgentAudio,
    AgentStarted,
    Input,
    OverlapEnded,
    OverlapStarted,
    Prediction,
    SessionEnded,
    UserAudio,
)
from bargein_server.detection.outputs import Interruption, RequestPrediction
from bargein_server.detection.timing import Timing
from bargein_server.detection.tracks import Tracks
from bargein_server.detection.vad import WebrtcVad
from bargein_server.models.predictor import SyncPredictor, SyncStream
from msgspec.structs import replace

from bargein_model.contract import FRAME_SAMPLES
from bargein_model.evaluation.items import Facts, Item

PIECE = 320
"""Samples per input: 20 ms, as telephony sends it."""
BYTES = 2
HANGOVER = 6400
"""Silence after which a client's VAD calls the sound over: 400 ms."""


class Onset(Enum):
    """Who says where the sound begins."""

    SERVER = auto()
    """The server's VAD, as for most users."""
    TRUE = auto()
    """The exam itself, as for a client whose own VAD is never wrong."""


class Subject:
    """A model behind the server's detector.

    Args:
        predictor: the model.
        options: settings of the detector; the threshold is the model's unless it is given here.
        boundary_ms: after the agent's start, the item's beginning, in which the VAD has a say, too;
            None: the model alone is examined.
    """

    def __init__(
        self,
        predictor: SyncPredictor,
        options: Options | None = None,
        *,
        boundary_ms: float | None = None,
    ) -> None:
        self._predictor = predictor
        wanted = options or Options()
        self.options = replace(
            wanted,
            threshold=wanted.threshold or predictor.info.default_threshold,
            backchannel_boundary_ms=boundary_ms,
        )

    def flagged(self, item: Item, onset: Onset) -> int | None:
        """Position of the audio that proved the first interruption; None if none came.

        The item is played in pieces of 20 ms, and every question is answered as it comes.
        """
        mode = "client" if onset is Onset.TRUE else "server"
        detector = Detector(
            replace(self.options, overlap=mode),
            vad=lambda options: WebrtcVad(options.vad_aggressiveness),
            echo=None if item.reference is None else EchoCanceller(),
        )
        streams: dict[int, SyncStream] = {}
        for event in _inputs(item, onset):
            questions = detector.handle(event)
            while questions:
                output = questions.pop(0)
                if isinstance(output, Interruption):
                    return output.at
                if isinstance(output, RequestPrediction):
                    questions += detector.handle(self._answer(output, streams))
        return None

    def frames(self, item: Item) -> tuple[float, ...]:
        """The probability of an interruption per 25 ms, from the true onset to the item's end.

        One window that begins with the pre-roll; no threshold ends it. The reference waits for its
        echo as it would when the server is told the onset.
        """
        timing, onset = Timing.of(self.options), item.facts.onset
        tracks = Tracks(None if item.reference is None else EchoCanceller())
        tracks.append_agent(item.reference or b"")
        tracks.user.append(item.audio)
        tracks.align(onset + timing.min_speech)
        start = max(0, onset - timing.pre_roll)
        length = (tracks.user.end - start) // FRAME_SAMPLES * FRAME_SAMPLES
        window = tracks.read(start, start + length, onset)
        answer = self._predictor.stream().predict(*window)
        heard = (onset - start) // FRAME_SAMPLES
        return tuple(frame.interruption for frame in answer.frames[heard:])

    def _answer(self, request: RequestPrediction, streams: dict[int, SyncStream]) -> Prediction:
        if request.fresh:
            streams[request.overlap_id] = self._predictor.stream()
        answer = streams[request.overlap_id].predict(request.audio, request.reference)
        return Prediction(
            overlap_id=request.overlap_id,
            epoch=request.epoch,
            end=request.at,
            frames=answer.frames,
            inference_us=answer.inference_us,
        )


def _inputs(item: Item, onset: Onset) -> Iterator[Input]:
    """The item as a session would hand it on; the agent speaks from its beginning."""
    marks = _marks(item.facts) if onset is Onset.TRUE else []
    yield AgentStarted(at=0)
    for begin in range(0, len(item.audio), PIECE * BYTES):
        piece = slice(begin, begin + PIECE * BYTES)
        if item.reference is not None:
            yield AgentAudio(pcm=item.reference[piece])
        yield UserAudio(pcm=item.audio[piece])
        while marks and marks[0][0] <= begin // BYTES + PIECE:
            yield marks.pop(0)[1]
    yield SessionEnded()


def _marks(facts: Facts) -> list[tuple[int, Input]]:
    """When a client with a perfect VAD speaks up, and what it says."""
    started = OverlapStarted(at=facts.onset, speech_duration=0)
    return [
        (facts.onset, started),
        (facts.end + HANGOVER, OverlapEnded(at=facts.end)),
    ]
