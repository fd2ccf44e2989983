"""From what was heard of a window to its answer.

The user is interrupting if enough consecutive frames after the onset reach the threshold. Without
the model it is the VAD's word: a sound that has lasted long enough is an interruption.
"""

from enum import Enum
from itertools import groupby

import msgspec

from bargein_server.detection.timing import FRAME
from bargein_server.livekit.hearing import Heard
from bargein_server.livekit.messages import Answer, BargeinDetected, InferenceDone


class Source(Enum):
    """What an answer rests on."""

    MODEL = "model"
    """The model heard all of the window."""
    VAD = "vad"
    """The model failed or was late: the length of the sound alone."""
    SUPERSEDED = "superseded"
    """A newer window of the same connection was waiting: no interruption so far."""
    SILENCE = "silence"
    """Every sample is zero."""


class Judgement(msgspec.Struct, frozen=True):
    """What is said about one window."""

    interruption: bool
    probabilities: tuple[float, ...]
    """One per 25 ms of the window, oldest first; 0 before the onset."""
    source: Source

    def answer(self, created_at: int, duration_s: float) -> Answer:
        """The message for the client."""
        kind = BargeinDetected if self.interruption else InferenceDone
        return kind(
            created_at=created_at,
            prediction_duration=duration_s,
            probabilities=self.probabilities,
        )


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What makes an interruption in one session."""

    threshold: float
    min_frames: int
    vad_min_speech: int
    """Samples of sound that are an interruption without a model."""

    def judge(self, heard: Heard) -> Judgement:
        """By the model's word on every frame."""
        first = heard.onset // FRAME
        reached = [value >= self.threshold for value in heard.probabilities[first:]]
        runs = (sum(1 for _ in run) for yes, run in groupby(reached) if yes)
        found = any(run >= max(1, self.min_frames) for run in runs)
        return Judgement(found, heard.probabilities, Source.MODEL)

    def judge_by_vad(self, heard: Heard) -> Judgement:
        """By the length of the sound; its frames say 1 if it is an interruption."""
        if heard.sounding < self.vad_min_speech:
            return Judgement(False, (0.0,) * heard.frames, Source.VAD)
        first = heard.onset // FRAME
        last = heard.sound_end // FRAME
        sound = (float(first <= frame < last) for frame in range(heard.frames))
        return Judgement(True, tuple(sound), Source.VAD)


def nothing_heard(frames: int, source: Source) -> Judgement:
    """No interruption, every frame 0."""
    return Judgement(False, (0.0,) * frames, source)
