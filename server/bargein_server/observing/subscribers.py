"""Following along (`/v1/events`): what sessions say, from the event log, at the reader's own pace.

Query: `session=ID` for one session, `types=a,b` for some messages only, `after=SEQ` to go on after
that event; without `after` only the news are sent.
"""

from bargein_protocol.codec import encode
from bargein_protocol.messages import Missed, Subscribed
from websockets.exceptions import ConnectionClosed

from bargein_server.observing.event_log import Entry, EventLog, Watch
from bargein_server.observing.metrics import Metrics
from bargein_server.serving.auth import Grant
from bargein_server.serving.connection import Connection

BATCH = 64
"""Events read at a time; between two batches others get their turn."""


class Filter:
    """Which events one reader gets."""

    def __init__(self, grant: Grant, query: dict[str, str]) -> None:
        self._grant = grant
        self._session_id = query.get("session")
        types = query.get("types")
        self._types = {kind.strip() for kind in types.split(",")} if types else None

    def __call__(self, entry: Entry) -> bool:
        """Whether this event is one of them."""
        return (
            may_see(self._grant, entry.issuer, entry.session_id)
            and self._session_id in {None, entry.session_id}
            and (self._types is None or entry.type in self._types)
        )


def may_see(grant: Grant, issuer: str, session_id: str) -> bool:
    """Whether the holder of `grant` may see this session: by its scope, and of its own key only."""
    return grant.issuer == issuer and grant.may_see(session_id)


def check_query(query: dict[str, str]) -> str | None:
    """What is wrong with a query; None if nothing is."""
    after = query.get("after")
    if after is not None and not (after.isascii() and after.isdigit() and len(after) < 20):
        return f"`after` is the number of an event, not {after[:32]!r}"
    return None


async def follow(connection: Connection, log: EventLog, metrics: Metrics) -> None:
    """Serve one subscriber until its connection is closed."""
    wanted = Filter(connection.grant, connection.query)
    place = min(log.seq, int(connection.query.get("after", log.seq)))
    with log.watch() as watch:
        reader = _Reader(watch)
        connection.stream_to(reader)
        try:
            await connection.send(encode(Subscribed(log_id=log.log_id, seq=log.seq)), text=True)
            while not reader.gone:
                read = log.read(place, BATCH)
                place += read.missed + len(read.entries)
                if read.missed:
                    metrics.events_missed.inc(read.missed)
                    missed = Missed(count=read.missed, seq=place - len(read.entries))
                    await connection.send(encode(missed), text=True)
                for entry in filter(wanted, read.entries):
                    await connection.send(entry.envelope, text=True)
                if len(read.entries) < BATCH:
                    await watch.news()
        except ConnectionClosed:
            pass


class _Reader:
    """The other end of a subscription: it says nothing, but it may go."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.gone = False

    def receive(self, data: str | bytes) -> None:
        """Nothing that a subscriber says means anything."""

    def lost(self, close_code: int) -> None:  # noqa: ARG002
        self.gone = True
        self._watch.wake()
