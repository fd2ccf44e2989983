"""What all sessions said lately, in order, for whoever follows along; bounded, never waited for."""

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Self

import orjson
from msgspec import UNSET, UnsetType


class Entry(NamedTuple):
    """One event of one session."""

    seq: int
    """1, 2, 3 … over all sessions of this process."""
    issuer: str
    """The API key that the session belongs to."""
    session_id: str
    type: str
    envelope: bytes
    """The `event` message as it goes over the wire."""


class Read(NamedTuple):
    """What a reader gets."""

    missed: int
    """Events after the reader's place that are gone."""
    entries: Sequence[Entry]


class EventLog:
    """Keeps the latest events, as many as `max_events` and `max_bytes` allow.

    Adding never waits: a reader that comes too late is told how many events it missed.
    """

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self.log_id = secrets.token_hex(8)
        """Names this log; another one numbers its events anew."""
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._seq = 0
        self._readers: set[asyncio.Event] = set()

    @property
    def seq(self) -> int:
        """The number of the latest event; 0 before the first."""
        return self._seq

    def add(
        self,
        issuer: str,
        session_id: str,
        kind: str,
        event: bytes,
        metadata: dict[str, object] | UnsetType = UNSET,
    ) -> None:
        """Add an event, given as it stood on the session's wire."""
        self._seq += 1
        envelope: dict[str, object] = {
            "type": "event",
            "seq": self._seq,
            "session_id": session_id,
            "event": orjson.Fragment(event),
        }
        if not isinstance(metadata, UnsetType):
            envelope["metadata"] = metadata
        kept = bytes(memoryview(orjson.dumps(envelope)))  # without the rest of orjson's buffer
        entry = Entry(self._seq, issuer, session_id, kind, kept)
        self._entries.append(entry)
        self._bytes += len(entry.envelope)
        while len(self._entries) > self._max_events or self._bytes > self._max_bytes:
            self._bytes -= len(self._entries.popleft().envelope)
        for reader in self._readers:
            reader.set()

    def read(self, after: int, limit: int) -> Read:
        """At most `limit` events after number `after`, oldest first."""
        first = self._seq - len(self._entries)
        missed = max(0, first - after)
        start = max(0, after - first)
        stop = min(len(self._entries), start + limit)
        return Read(missed, [self._entries[index] for index in range(start, stop)])

    def watch(self) -> "Watch":
        """Something to wait on for news; a context manager."""
        return Watch(self._readers)


class Watch:
    """Wakes one reader of the log."""

    def __init__(self, readers: set[asyncio.Event]) -> None:
        self._readers = readers
        self._news = asyncio.Event()

    def __enter__(self) -> Self:
        self._readers.add(self._news)
        return self

    def __exit__(self, *_: object) -> None:
        self._readers.discard(self._news)

    def wake(self) -> None:
        """End the wait although nothing was added."""
        self._news.set()

    async def news(self) -> None:
        """Wait until something was added since the last call."""
        await self._news.wait()
        self._news.clear()
