"""What the model has said about one overlap, and what follows from it."""

from bargein_protocol.messages import Reason

from bargein_server.detection.inputs import ClassProbabilities
from bargein_server.detection.timing import FRAME

KEPT = 400
"""Frames that a verdict can show, ten seconds: a sound may go on for hours."""


class Evidence:
    """The frames of all predictions about one overlap, from its onset on.

    Args:
        onset: position at which the overlap began; frames that end at or before it are pre-roll.
        min_frames: consecutive frames that it takes.
    """

    def __init__(self, onset: int, min_frames: int) -> None:
        self._onset = onset
        self._min_frames = min_frames
        self._probabilities: list[float] = []
        self._best: float | None = None
        self._interruption = 0.0
        self._sums = [0.0, 0.0, 0.0]

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Probability of an interruption per frame since the onset, of the latest `KEPT`."""
        return tuple(self._probabilities[-KEPT:])

    @property
    def best(self) -> float | None:
        """The highest value that `min_frames` consecutive frames all reached; None before that."""
        return self._best

    @property
    def reason(self) -> Reason:
        """The likeliest kind of non-interruption; coughs, laughs and the like count as noise."""
        backchannel, noise, echo = self._sums
        if backchannel >= noise and backchannel >= echo:
            return "backchannel"
        return "noise" if noise >= echo else "echo"

    @property
    def may_be_speech(self) -> bool:
        """Whether it is likelier speech than not, or `reason` is a backchannel.

        Before any frame it may be.
        """
        backchannel, noise, echo = self._sums
        return self._interruption + backchannel >= noise + echo or self.reason == "backchannel"

    def add(self, frames: tuple[ClassProbabilities, ...], end: int) -> None:
        """Take in one prediction's frames; the last of them ends at position `end`."""
        first = end - len(frames) * FRAME
        for index, frame in enumerate(frames):
            if first + (index + 1) * FRAME > self._onset:
                self._add_frame(frame)

    def _add_frame(self, frame: ClassProbabilities) -> None:
        self._probabilities.append(frame.interruption)
        self._interruption += frame.interruption
        self._sums[0] += frame.backchannel
        self._sums[1] += frame.vocal + frame.noise
        self._sums[2] += frame.echo
        kept = max(KEPT, self._min_frames)
        if len(self._probabilities) >= 2 * kept:
            del self._probabilities[:-kept]
        if len(self._probabilities) >= self._min_frames:
            run = min(self._probabilities[-self._min_frames :])
            self._best = run if self._best is None else max(self._best, run)
