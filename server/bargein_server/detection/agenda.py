"""Markers that speak of a moment which has not been heard yet."""

import heapq
from collections.abc import Iterator
from itertools import count

from bargein_server.detection.inputs import AgentStarted, AgentStopped, OverlapEnded, OverlapStarted

Marker = AgentStarted | AgentStopped | OverlapStarted | OverlapEnded
"""An input that says when it takes effect (`at`)."""


class Agenda:
    """Keeps markers until their moment; those of one moment stay in the order of their coming."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Marker]] = []
        self._number = count()

    @property
    def deadline(self) -> int | None:
        """The moment of the first one; None without any."""
        return self._waiting[0][0] if self._waiting else None

    def add(self, marker: Marker) -> None:
        """Keep a marker until its moment."""
        heapq.heappush(self._waiting, (marker.at, next(self._number), marker))

    def due(self, position: int) -> Iterator[Marker]:
        """Take out, one by one, those whose moment has come."""
        while self._waiting and self._waiting[0][0] <= position:
            yield heapq.heappop(self._waiting)[2]

    def call_off(self, at: int) -> None:
        """The agent stops at `at`: if it was to start only later, it does not."""
        starts = [marker.at for _, _, marker in self._waiting if isinstance(marker, AgentStarted)]
        if min(starts, default=at) > at:
            kept = [entry for entry in self._waiting if not isinstance(entry[2], AgentStarted)]
            self._waiting = kept
            heapq.heapify(self._waiting)

    def clear(self) -> None:
        """Forget them all."""
        self._waiting.clear()
