"""Keeps one session connected: sends what is to be sent, collects events, resumes after a loss."""

import asyncio
from enum import Enum, auto

import msgspec
from bargein_protocol.audio import AudioFrame, format_frame
from bargein_protocol.codec import decode_server, encode
from bargein_protocol.errors import ErrorCode, ProtocolError
from bargein_protocol.messages import (
    AgentStarted,
    AgentStopped,
    ClientMessage,
    Error,
    Resume,
    ServerMessage,
    SessionClose,
    SessionClosed,
    SessionCreate,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
    Summary,
)
from msgspec.structs import replace

from bargein_client.backlog import Backlog, Waiting
from bargein_client.credentials import Credentials
from bargein_client.errors import BargeinError, error_for, error_named
from bargein_client.link import Link, LinkLostError
from bargein_client.retrying import Advice, Backoff, advice_for

BACKLOG_MS = 10_000
"""Audio kept while the connection is away; older audio is reported as a gap."""


SENT_MS = 2_000
"""Audio kept after it was sent, in case the connection breaks before it arrives."""
WELCOME_TIMEOUT_S = 10.0
"""How long an open connection may wait for `session.created`."""


class SessionState(Enum):
    """Whether what is sent goes out at once."""

    CONNECTED = auto()
    AWAY = auto()
    """There is no connection at the moment; what is sent waits for the next one."""
    OVER = auto()


class Lifeline:
    """One session over as many connections as it takes.

    The agent's state, option changes and a close without an answer are repeated on the next
    connection (no close to a session begun anew): they may have been on their way when the last one
    broke, and may safely arrive twice.
    """

    def __init__(
        self, url: str, credentials: Credentials, create: SessionCreate, retry: Backoff
    ) -> None:
        self._url, self._credentials = url, credentials
        self._create, self._retry = create, retry
        self.state = SessionState.AWAY
        self.clock = 0
        """Samples of user audio handed over so far, at the session's rate."""
        self.created: SessionCreated | None = None
        # Unbounded: events are small and few, and a consumer that never reads them must not
        # hold up what it sends.
        self.events: asyncio.Queue[ServerMessage | None] = asyncio.Queue()
        """What came; None is the end."""
        self.ended: asyncio.Future[Summary | None] = asyncio.get_running_loop().create_future()
        """Done when the session is over; an error if it was lost."""
        self.told = False
        """Whether the failure that ended the session has been raised to the user."""
        self._link: Link | None = None
        self._backlog = Backlog(create.audio, BACKLOG_MS, SENT_MS)
        self._agent: list[Waiting] = []
        self._unanswered: list[Waiting] = []
        self._last_seq = 0
        self._last_error: Error | None = None
        self._summary: Summary | None = None
        self._task: asyncio.Task[None] | None = None

    def raise_failure(self) -> None:
        """Raise the error that ended the session, if one did."""
        error = self.ended.exception() if self.ended.done() else None
        if error is not None:
            self.told = True
            raise error

    async def open(self) -> None:
        """Connect and create the session.

        Raises:
            BargeinError: it could not be.
        """
        link = await self._connect(self._create)
        self.state = SessionState.CONNECTED
        self._task = asyncio.create_task(self._run(link), name="bargein-session")

    async def shut(self) -> None:
        """Leave nothing behind: no task, no socket. The session itself may live on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._link is not None:
            await self._link.close()
        self._finish(None)

    async def send(self, item: AudioFrame | ClientMessage) -> None:
        """Send now, or keep it until there is a connection again.

        Raises:
            BargeinError: the session is over.
        """
        if self.state is SessionState.OVER:
            self.raise_failure()
            raise error_for(ErrorCode.UNEXPECTED_MESSAGE, "the session is closed")
        while self.state is SessionState.CONNECTED and (link := self._link) is not None:
            try:
                await self._put_on(link, self.clock, item)
            except LinkLostError:
                if link is self._link:
                    self.state = SessionState.AWAY
            else:
                return
        self._backlog.add(self.clock, item)

    @property
    def _closing(self) -> bool:
        return any(isinstance(said.item, SessionClose) for said in self._unanswered)

    # ------------------------------------------------------------------ one connection

    async def _connect(self, create: SessionCreate) -> Link:
        again = self.created is not None
        link = await Link.open(self._url, self._credentials, again=again)
        try:
            async with asyncio.timeout(WELCOME_TIMEOUT_S):
                await link.send(encode(create).decode())
                await self._welcome(link)
        except LinkLostError as lost:
            raise self._error(lost.code) from None
        except TimeoutError:
            await link.close()
            raise error_for(ErrorCode.CONNECTION_LOST, "the server does not answer") from None
        except BaseException:
            await link.close()
            raise
        self._link = link
        return link

    async def _welcome(self, link: Link) -> None:
        while True:
            message = self._take(await link.receive())
            if isinstance(message, SessionCreated):
                return
            if isinstance(message, Error):
                raise error_for(error_named(message.code), message.message)

    def _take(self, data: str | bytes) -> ServerMessage | None:
        """Take a message in; None if it is unknown or came already."""
        try:
            message = decode_server(data)
        except ProtocolError as error:
            raise error_for(ErrorCode.INTERNAL_ERROR, f"unreadable message: {error}") from None
        if message is None or 0 < message.seq <= self._last_seq:
            return None
        self._last_seq = max(self._last_seq, message.seq)
        match message:
            case SessionCreated():
                self.created = message
            case SessionUpdated():
                del self._unanswered[:1]
                self._create = replace(self._create, options=msgspec.to_builtins(message.options))
            case Error():
                self._last_error = message
                if message.code == ErrorCode.INVALID_OPTIONS.code:
                    del self._unanswered[:1]
            case _:
                pass
        self.events.put_nowait(message)
        if isinstance(message, SessionClosed):
            self._summary = message.summary
            if self._closing:
                self._finish(message.summary)
        return message

    async def _put_on(self, link: Link, at: int, item: AudioFrame | ClientMessage) -> None:
        if isinstance(item, AudioFrame):
            await link.send(format_frame(item, self._create.audio))
            self._backlog.sent(at, item)
            return
        if isinstance(item, AgentStarted | AgentStopped):
            self._agent = [Waiting(at, type(item)())]
        elif isinstance(item, SessionUpdate | SessionClose):
            self._unanswered.append(Waiting(at, item))
        await link.send(encode(item).decode())

    # ------------------------------------------------------------------ from one to the next

    async def _run(self, link: Link) -> None:
        try:
            while True:
                try:
                    while True:
                        self._take(await link.receive())
                except LinkLostError as lost:
                    if lost.code is None or self.state is SessionState.OVER:
                        break
                    link = await self._return(lost.code)
            self._finish(self._summary)
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits for events is told
            self._finish(error)

    async def _return(self, code: ErrorCode) -> Link:
        """Connect again as the protocol advises for `code`.

        Raises:
            BargeinError: it advises against it, or the attempts are used up.
        """
        self.state = SessionState.AWAY
        error = self._error(code)
        advice = advice_for(code, resuming=False)
        for wait_s in self._retry.waits_s():
            if advice is Advice.RAISE:
                break
            await asyncio.sleep(wait_s)
            before = self.created
            try:
                return await self._reconnect(advice)
            except BargeinError as again:
                error = again
                opened = self.created is not before  # and broke again
                new = advice_for(again.code, resuming=advice is Advice.RESUME and not opened)
                advice = advice if new is Advice.RESUME and not opened else new
        raise error

    async def _reconnect(self, advice: Advice) -> Link:
        before = self.created
        if advice is Advice.BEGIN_ANEW or before is None:
            if self._closing:
                raise error_for(ErrorCode.UNKNOWN_SESSION, "it ended before its summary came")
            return await self._begin_anew()
        resume = Resume(token=before.resume_token, after=self._last_seq)
        attached = isinstance(self._create.attach, msgspec.Struct)
        resuming = replace(self._create, session_id=before.session_id, resume=resume)
        create = self._create if attached else resuming
        link = await self._connect(create)
        position = self._create.audio.samples(self.created.at_ms if self.created else 0)
        self.clock = max(self.clock, position)
        await self._catch_up(link, position)
        return link

    async def _begin_anew(self) -> Link:
        self._last_seq = 0
        link = await self._connect(self._create)
        start = self._backlog.start
        base = self.clock if start is None else start
        self.clock -= base
        self._backlog.begin_at(base)
        self._agent = [Waiting(0, said.item) for said in self._agent]
        self._unanswered = [Waiting(0, said.item) for said in self._unanswered]
        await self._catch_up(link, 0)
        return link

    async def _catch_up(self, link: Link, position: int) -> None:
        """Send what has waited; what comes meanwhile waits behind it."""
        again = self._agent + self._unanswered
        self._agent, self._unanswered = [], []
        self._backlog.put_back(again)
        while self._backlog or self.clock > position:
            taken = self._backlog.take(position, self.clock)
            position = self.clock
            for index, waiting in enumerate(taken):
                try:
                    await self._put_on(link, waiting.at, waiting.item)
                except LinkLostError as lost:
                    self._backlog.put_back(taken[index:])
                    raise self._error(lost.code) from None
        self.state = SessionState.CONNECTED

    # ------------------------------------------------------------------ the end

    def _finish(self, result: Summary | Exception | None) -> None:
        if self.ended.done():
            return
        self.state = SessionState.OVER
        if isinstance(result, Exception):
            self.ended.set_exception(result)
            self.ended.exception()  # whoever reads events or sends is told; nobody has to
        else:
            self.ended.set_result(result)
        self.events.put_nowait(None)

    def _error(self, code: ErrorCode | None) -> BargeinError:
        """The error behind a lost connection, in the server's own words if it had any."""
        code = code or ErrorCode.CONNECTION_LOST
        said = self._last_error
        return error_for(code, said.message if said and said.code == code.code else None)
