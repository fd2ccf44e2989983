"""What a detector says: one frozen value per thing that others must know or do.

Positions and durations are samples at 16 kHz.
"""

import msgspec
from bargein_protocol.errors import WarningCode
from bargein_protocol.messages import Reason, Source
from bargein_protocol.options import Options

from bargein_server.detection.inputs import ClassProbabilities, Position


class _Output(msgspec.Struct, frozen=True, kw_only=True):
    at: Position
    """The moment it speaks of."""


class SpeechOnset(_Output, frozen=True, kw_only=True):
    """The user began to make sound at `at`."""


class SpeechOffset(_Output, frozen=True, kw_only=True):
    """The user's last sound ended at `at`."""


class OverlapOpened(_Output, frozen=True, kw_only=True):
    """User sound while the agent is speaking; exactly one `Verdict` will follow."""

    overlap_id: int
    onset: Position


class OverlapClosed(_Output, frozen=True, kw_only=True):
    """The sound of this overlap is over; its verdict is out, or comes with the last answer."""

    overlap_id: int


class RequestPrediction(_Output, frozen=True, kw_only=True):
    """Ask the model; answer with a `Prediction` or `PredictionFailed` of the same tags.

    `at` is the end of the audio. Audio of one overlap and epoch is contiguous: the first request
    begins with the pre-roll on a fresh stream, each further one goes on where the last one ended.
    """

    overlap_id: int
    epoch: int
    fresh: bool
    """Whether to start a fresh stream."""
    audio: bytes
    """The new user audio: 16 kHz mono s16le, a whole number of 25 ms frames, at least one."""
    reference: bytes | None
    """The agent's audio at the same positions, of the same length; None without such a track."""


class StreamEnded(_Output, frozen=True, kw_only=True):
    """No further request will be made for this overlap; its stream's state can go."""

    overlap_id: int


class Interruption(_Output, frozen=True, kw_only=True):
    """Verdict: the user is taking the floor; `at` is the end of the audio that proved it."""

    overlap_id: int
    onset: Position
    probability: float | None
    probabilities: tuple[float, ...]
    inference_us: int | None
    predictions: int
    source: Source


class NonInterruption(_Output, frozen=True, kw_only=True):
    """Verdict: the user is not taking the floor."""

    overlap_id: int
    onset: Position
    probability: float | None
    probabilities: tuple[float, ...]
    predictions: int
    reason: Reason
    source: Source
    conclusive: bool
    """False where it could not be told (the agent stopped, the session ended, no model)."""


class FalseInterruption(_Output, frozen=True, kw_only=True):
    """No user turn followed this interruption."""

    overlap_id: int


class TranscriptReleased(_Output, frozen=True, kw_only=True):
    """These words are the user's turn."""

    id: str
    text: str
    start: Position
    end: Position
    final: bool


class TranscriptDropped(_Output, frozen=True, kw_only=True):
    """These words belong to a sound that was no interruption."""

    id: str
    reason: Reason


class PredictionHeard(_Output, frozen=True, kw_only=True):
    """A prediction was taken into account (only with `options.predictions`)."""

    overlap_id: int
    frames: tuple[ClassProbabilities, ...]
    inference_us: int


class OptionsTaken(_Output, frozen=True, kw_only=True):
    """New options are in effect."""

    options: Options


class Warned(_Output, frozen=True, kw_only=True):
    """Something looks wrong; nothing is lost."""

    code: WarningCode


class Ended(_Output, frozen=True, kw_only=True):
    """The session is over; nothing follows."""

    overlaps: int
    interruptions: int
    non_interruptions: int
    false_interruptions: int
    predictions: int


Verdict = Interruption | NonInterruption
Output = (
    SpeechOnset
    | SpeechOffset
    | OverlapOpened
    | OverlapClosed
    | RequestPrediction
    | StreamEnded
    | Interruption
    | NonInterruption
    | FalseInterruption
    | TranscriptReleased
    | TranscriptDropped
    | PredictionHeard
    | OptionsTaken
    | Warned
    | Ended
)
