"""What a measurement comes to: distributions, and one table per section."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np


class Distribution(msgspec.Struct, frozen=True):
    """Of many values of one kind, in their unit."""

    count: int
    p50: float
    p90: float
    p99: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Distribution":
        """Summarise values; all zero if there are none."""
        if not values:
            return cls(0, 0.0, 0.0, 0.0, 0.0)
        p50, p90, p99, most = np.percentile(values, (50, 90, 99, 100)).tolist()
        return cls(len(values), round(p50, 3), round(p90, 3), round(p99, 3), round(most, 3))

    def cells(self) -> tuple[str, ...]:
        """Table cells under `COLUMNS`."""
        numbers = (f"{value:.2f}" for value in (self.p50, self.p90, self.p99, self.max))
        return f"{self.count:,}", *numbers


COLUMNS = ("count", "p50", "p90", "p99", "max")
"""Headings for `Distribution.cells`."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one measurement."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """As people read it."""
    notes: tuple[str, ...] = ()
    figures: dict[str, Any] = {}
    """As programs read it."""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    sessions: int
    """Concurrent sessions of the delay measurement."""
    seconds: float
    """Duration of the delay measurement."""
    most: int
    """Sessions at which the capacity measurement stops looking for more."""
    samples: Path
    """Folder of recordings whose overlaps are what the users say."""
    server_core: int | None
    """The core that the server is pinned to; None where cores cannot be chosen."""


Tell = Callable[[float, str], None]
"""Called with the share done so far and what is going on."""

Measure = Callable[[Setup, Tell], Awaitable[Section]]
"""One measurement."""
