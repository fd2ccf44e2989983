"""Who runs next: short runs before long ones, equal lengths together, and nobody starves.

Runs of equal length wait in one lane, first come first served. A batch is cut from the lane whose
head is due first, and being due is counted in batches, not in time: a run is due in the batch that
forms when it comes, plus one for every `PATIENCE_FRAMES` of its length. So a 3 s window lets
single hops that come up to four batches later go first, and then takes its turn.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")

RUN_FRAMES = 120
"""The most frames (25 ms each) in one run, over all streams: one whole 3 s window."""
RUN_STREAMS = 30
"""The most streams in one run: each has a cost of its own, however short its step. Together the
two bound how long a step can wait for the run before it: 2 to 4 ms."""
PATIENCE_FRAMES = 30
"""Frames of length for which a run lets the steps of one more batch go first."""


class Schedule(Generic[T]):
    """Waiting runs, each known by a hashable owner who waits at most once."""

    def __init__(self) -> None:
        self._lanes: dict[int, dict[T, int]] = {}
        self._lengths: dict[T, int] = {}
        self._batches = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._lengths))

    def put(self, owner: T, frames: int) -> None:
        """Let `owner` wait for a run of `frames`, cut to `RUN_FRAMES`.

        One who waits already changes lanes if the length is another, and is due no later for it.
        """
        length = min(frames, RUN_FRAMES)
        due = self._batches + length // PATIENCE_FRAMES
        before = self._lengths.get(owner)
        if before == length:
            return
        if before is not None:
            due = min(due, self._lanes[before][owner])
            self.discard(owner)
        self._lengths[owner] = length
        self._lanes.setdefault(length, {})[owner] = due

    def discard(self, owner: T) -> None:
        """Let `owner` wait no longer, if it does."""
        length = self._lengths.pop(owner, None)
        if length is not None:
            lane = self._lanes[length]
            del lane[owner]
            if not lane:
                del self._lanes[length]

    def take(self) -> tuple[int, list[T]]:
        """The next batch: its length in frames, and its owners, at least one.

        Raises:
            ValueError: nobody waits.
        """
        length = min(self._lanes, key=lambda length: (self._due(length), length))
        most = min(RUN_STREAMS, RUN_FRAMES // length)
        owners = list(islice(self._lanes[length], most))
        for owner in owners:
            self.discard(owner)
        self._batches += 1
        return length, owners

    def _due(self, length: int) -> int:
        return next(iter(self._lanes[length].values()))
