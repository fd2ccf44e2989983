"""How much is still going on, for a server that wants to stop."""

import asyncio
import contextlib
from collections.abc import Generator


class Census:
    """Counts what a drain waits for: sessions, and conversations of other dialects."""

    def __init__(self) -> None:
        self._count = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def count(self) -> int:
        """How many there are."""
        return self._count

    def enter(self) -> None:
        """One more."""
        self._count += 1
        self._empty.clear()

    def leave(self) -> None:
        """One less."""
        self._count -= 1
        if not self._count:
            self._empty.set()

    @contextlib.contextmanager
    def present(self) -> Generator[None]:
        """One more, for as long as the block runs."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    async def empty(self) -> None:
        """Wait until there are none."""
        await self._empty.wait()
