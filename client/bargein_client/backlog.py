"""What was said while the connection was away: audio and messages, each with its moment.

Moments are counted in samples of user audio since the session began, at the session's rate. When
the session is taken up again the server says where it stands. Audio from before that moment is
left out: it arrived, or the server has filled it in as silence. Audio after that moment is sent,
even if it was sent before, for it was on its way when the connection broke; a hole becomes an
`audio.gap`.
"""

from collections import deque
from collections.abc import Iterator

import msgspec
from bargein_protocol.audio import AudioFormat, AudioFrame, Track
from bargein_protocol.messages import MAX_GAP_MS, AudioGap, ClientMessage
from msgspec import UNSET
from msgspec.structs import replace

MOMENTS = ("at_ms", "start_ms", "end_ms")
"""Fields of messages that name a moment of the session's clock."""


class Waiting(msgspec.Struct, frozen=True):
    """Something to be sent, and the moment at which it was handed over."""

    at: int
    item: AudioFrame | ClientMessage


class Backlog:
    """Keeps everything in order; of each track's audio at most `bound_ms`, the newest.

    Of what was sent it keeps the audio of the last `sent_ms`.
    """

    def __init__(self, audio: AudioFormat, bound_ms: float, sent_ms: float = 0) -> None:
        self._audio = audio
        self._bound = audio.samples(bound_ms)
        self._sent_bound = audio.samples(sent_ms)
        self._sent: deque[Waiting] = deque()
        self._waiting: deque[Waiting] = deque()
        self._held: dict[Track, int] = {"user": 0, "agent": 0}

    def __len__(self) -> int:
        """Frames and messages that wait."""
        return len(self._waiting)

    def add(self, at: int, item: AudioFrame | ClientMessage) -> None:
        """Keep an item; audio over the bound pushes out the oldest of its track.

        A gap is not kept: where audio is missing, `take` finds one.
        """
        if isinstance(item, AudioGap):
            return
        self._waiting.append(Waiting(at, item))
        if isinstance(item, AudioFrame):
            self._held[item.track] += self._samples(item)
            while self._held[item.track] > self._bound:
                self._drop_oldest(item.track)

    def sent(self, at: int, frame: AudioFrame) -> None:
        """Note audio that was sent and may not arrive."""
        self._sent.append(Waiting(at, frame))
        while self._sent[0].at < at - self._sent_bound:
            self._sent.popleft()

    def take(self, position: int, clock: int) -> list[Waiting]:
        """All that waits, as it is to be sent to a server that stands at `position`.

        `clock` is this side's moment; after the result was sent the server stands there too,
        unless it is ahead.
        """
        taken: list[Waiting] = []
        for waiting in sorted((*self._sent, *self._waiting), key=_order):
            item = waiting.item
            if isinstance(item, AudioFrame) and waiting.at < position:
                continue
            taken += self._gap(position, waiting.at)
            taken.append(waiting)
            position = max(position, waiting.at)
            if isinstance(item, AudioFrame) and item.track == "user":
                position += self._samples(item)
        self.clear()
        return taken + list(self._gap(position, clock))

    def begin_at(self, start: int) -> None:
        """The session begins anew at `start`: moments count from there, what was sent is over."""
        waiting = [
            Waiting(max(0, one.at - start), self._since(start, one.item)) for one in self._waiting
        ]
        self.clear()
        self.put_back(waiting)

    def clear(self) -> None:
        """Forget everything."""
        self._sent.clear()
        self._waiting.clear()
        self._held = dict.fromkeys(self._held, 0)

    def put_back(self, taken: list[Waiting]) -> None:
        """What was taken and could not be sent waits again, in its place."""
        since = list(self._waiting)
        self._waiting.clear()
        self._held = dict.fromkeys(self._held, 0)
        for waiting in taken + since:
            self.add(waiting.at, waiting.item)

    @property
    def start(self) -> int | None:
        """The moment of the oldest item; None if nothing waits."""
        return self._waiting[0].at if self._waiting else None

    def _since(self, start: int, item: AudioFrame | ClientMessage) -> AudioFrame | ClientMessage:
        """The item; the moments that it names are counted from `start`."""
        start_ms = start * 1000 / self._audio.sample_rate
        named = {name: getattr(item, name, UNSET) for name in MOMENTS}
        since = {name: max(0.0, at - start_ms) for name, at in named.items() if at is not UNSET}
        return replace(item, **since) if since else item

    def _gap(self, start: int, end: int) -> Iterator[Waiting]:
        if end > start:
            duration_ms = (end - start) * 1000 / self._audio.sample_rate
            for gap in gaps(duration_ms):
                yield Waiting(start, gap)

    def _samples(self, frame: AudioFrame) -> int:
        return len(frame.payload) // self._audio.bytes_per_sample

    def _drop_oldest(self, track: Track) -> None:
        for index, waiting in enumerate(self._waiting):
            if isinstance(waiting.item, AudioFrame) and waiting.item.track == track:
                self._held[track] -= self._samples(waiting.item)
                del self._waiting[index]
                return


def gaps(duration_ms: float) -> Iterator[AudioGap]:
    """The messages that announce a gap of any length; none for a gap of nothing."""
    while duration_ms > 0:
        yield AudioGap(duration_ms=min(duration_ms, MAX_GAP_MS))
        duration_ms -= MAX_GAP_MS


def _order(waiting: Waiting) -> tuple[int, bool]:
    """By moment; a message was said before the audio that begins at its moment."""
    return waiting.at, isinstance(waiting.item, AudioFrame)
