"""Following what sessions say, without a hole and without a repeat, through lost connections."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast
from urllib.parse import urlencode

import msgspec
import orjson
from bargein_protocol.errors import ErrorCode
from bargein_protocol.messages import Error, Event, Missed, ServerMessage, Subscribed

from bargein_client.credentials import Credentials
from bargein_client.errors import BargeinError, error_for, error_named
from bargein_client.link import Link, LinkLostError, endpoint
from bargein_client.retrying import Advice, Backoff, advice_for
from bargein_client.session import DEFAULT_URL


class SessionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a session said."""

    seq: int
    """Its number in the server's log; `subscribe(after=seq)` goes on behind it."""
    session_id: str
    message: ServerMessage
    """As the session's own client got it; tokens are empty."""
    metadata: dict[str, Any]
    """The client's labels, with `session.created`; else empty."""


Followed = SessionEvent | Missed


@asynccontextmanager
async def subscribe(
    url: str = DEFAULT_URL,
    *,
    session: str | None = None,
    types: Sequence[str] = (),
    after: int | None = None,
    key: str | None = None,
    secret: str | None = None,
    token: str | None = None,
    retry: Backoff | None = None,
) -> AsyncGenerator[AsyncIterator[Followed]]:
    """Follow live events.

        async with subscribe("ws://127.0.0.1:8765") as events:
            async for event in events:
                ...

    Args:
        url: of the server; `/v1/events` is added if it has no path.
        session: one session's id; default: all that the credentials allow.
        types: message types, such as "interruption"; default: all.
        after: number of the event to go on behind; default: only what is new.
        key: an API key, from which tokens are made here with its `secret`.
        secret: never leaves this process.
        token: a ready token instead.
        retry: how to come back after a lost connection.

    The iteration gives a `Missed` where the server no longer had what came next. It raises
    `BargeinError` when the connection is lost for good; nothing is connected before it begins.
    """
    query = {"session": session, "types": ",".join(types) or None}
    follower = _Follower(
        endpoint(url, "/v1/events"),
        {name: value for name, value in query.items() if value is not None},
        after,
        Credentials(key=key, secret=secret, token=token),
        retry or Backoff(),
    )
    async with aclosing(follower.events()) as events:
        yield events


class _Follower:
    def __init__(
        self,
        url: str,
        query: dict[str, str],
        after: int | None,
        credentials: Credentials,
        retry: Backoff,
    ) -> None:
        self._url, self._query, self._credentials = url, query, credentials
        self._after = after
        self._retry = retry
        self._waits_s = retry.waits_s()
        self._log_id: str | None = None

    async def events(self) -> AsyncGenerator[Followed]:
        """Everything from all connections."""
        while True:
            try:
                async with aclosing(self._one_connection()) as events:
                    async for event in events:
                        yield event
            except BargeinError as error:
                wait_s = next(self._waits_s, None)
                refused = advice_for(error.code, resuming=True) is Advice.RAISE
                if refused or wait_s is None or self._log_id is None:
                    raise
                await asyncio.sleep(wait_s)

    async def _one_connection(self) -> AsyncGenerator[Followed]:
        after = {} if self._after is None else {"after": str(self._after)}
        query = urlencode(self._query | after)
        address = f"{self._url}?{query}" if query else self._url
        link = await Link.open(address, self._credentials, again=self._log_id is not None)
        try:
            async for data in link.messages():
                message = _decode(data)
                if isinstance(message, Subscribed):
                    if not self._settle(message):
                        return
                elif isinstance(message, Error):
                    raise error_for(error_named(message.code), message.message)
                elif message is not None:
                    self._after = message.seq
                    yield message
        except LinkLostError as lost:
            raise error_for(lost.code or ErrorCode.CONNECTION_LOST) from None
        finally:
            await link.close()

    def _settle(self, welcome: Subscribed) -> bool:
        """Note where the log stands; False if it is another one, to be read from its start."""
        self._waits_s = self._retry.waits_s()
        another = self._log_id not in {None, welcome.log_id}
        self._log_id = welcome.log_id
        if another:
            self._after = 0
        elif self._after is None:
            self._after = welcome.seq
        return not another


_KNOWN = Subscribed | Event | Missed | Error


def _decode(data: str | bytes) -> Subscribed | SessionEvent | Missed | Error | None:
    """A message of the event stream; None for a kind that this version does not know."""
    try:
        message = cast("_KNOWN", msgspec.convert(orjson.loads(data), _KNOWN))
        if not isinstance(message, Event):
            return message
        said = cast("ServerMessage", msgspec.convert(message.event, ServerMessage))
    except (msgspec.ValidationError, orjson.JSONDecodeError):
        return None
    return SessionEvent(
        seq=message.seq,
        session_id=message.session_id,
        message=said,
        metadata=message.metadata or {},
    )
