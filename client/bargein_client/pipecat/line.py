"""A session on which nobody has to wait: it opens itself, comes back, and says when it is away."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from enum import Enum, auto
from typing import assert_never

from bargein_protocol.messages import (
    Interruption,
    NonInterruption,
    OverlapOpened,
    ServerMessage,
    SessionCreated,
    SpeechStarted,
    SpeechStopped,
)
from loguru import logger
from msgspec import Struct

from bargein_client.errors import BargeinError, first_of
from bargein_client.lifeline import SessionState
from bargein_client.retrying import Backoff
from bargein_client.session import Session

PATIENCE = Backoff(first_s=0.2, most_s=5.0, attempts=1_000_000)
"""A bot may run for hours; it wants Bargein back whenever that may be."""
PATIENCE_MS = 500.0
"""Audio that may wait for the socket before the server counts as away."""
ANSWER_S = 1.0
"""How long the server may say nothing about a user who speaks over the agent; with
`options.predictions` it has something to say every 50 ms."""


class LineState(Enum):
    """Whether the server hears the user now."""

    UP = auto()
    DOWN = auto()


class Since:
    """Something that goes on or does not, and the moment from which on it does."""

    def __init__(self) -> None:
        self.moment: float | None = None

    def turn(self, *, on: bool) -> None:
        """It begins or ends; what goes on already does not begin again."""
        if not on:
            self.moment = None
        elif self.moment is None:
            self.moment = asyncio.get_running_loop().time()


class Audio(Struct, frozen=True):
    """User audio, and how much was left out before it."""

    pcm: bytes
    duration_ms: float
    lost_ms: float


class Played(Struct, frozen=True):
    """What the loudspeaker plays."""

    pcm: bytes
    duration_ms: float


class Agent(Struct, frozen=True):
    """The agent's speaking state."""

    speaking: bool


class Words(Struct, frozen=True):
    """A transcript."""

    id: str
    text: str
    final: bool


class Line:
    """Takes what there is to say without ever waiting or raising; `run` does the rest.

    While the server is away, audio is left out (the server counts it as silence), so that no
    verdict comes about a sound of long ago.

    Args:
        open_session: opens a session; called again when one was lost for good.
    """

    def __init__(self, open_session: Callable[[], AbstractAsyncContextManager[Session]]) -> None:
        self._open_session = open_session
        self._session: Session | None = None
        self._queue: asyncio.Queue[Audio | Played | Agent | Words] = asyncio.Queue()
        self._agent = Since()
        self._user = Since()
        self._heard_s = 0.0
        self._hangs = False
        self._waiting_ms = 0.0
        self._lost_ms = 0.0
        self._unplayed_ms = 0.0
        self._complaint = ""
        self._hears_user = self._in_overlap = False

    @property
    def state(self) -> LineState:
        """DOWN too if the server is connected but does not read, or says nothing where it must."""
        if self._session is None or self._session.state is not SessionState.CONNECTED:
            return LineState.DOWN
        stuck = self._hangs or self._waiting_ms >= PATIENCE_MS
        return LineState.DOWN if stuck else LineState.UP

    @property
    def at_ms(self) -> float:
        """The session's audio clock; 0 without one."""
        return 0.0 if self._session is None else self._session.at_ms

    def audio(self, pcm: bytes, duration_ms: float) -> None:
        """The user's audio, contiguous; empty where nobody is to hear it."""
        if self._session is None:
            return
        self._hangs = self._hangs or self._unanswered_s() > ANSWER_S
        if self._waiting_ms >= PATIENCE_MS:
            self._lost_ms += duration_ms
            return
        self._queue.put_nowait(Audio(pcm, duration_ms, self._lost_ms))
        self._waiting_ms += duration_ms
        self._lost_ms = 0.0

    def played(self, pcm: bytes, duration_ms: float) -> None:
        """What the loudspeaker plays now; needs a session of two tracks.

        What cannot be sent soon is left out: the server takes what comes for the present.
        """
        if self._session is None or self._unplayed_ms >= PATIENCE_MS:
            return
        self._queue.put_nowait(Played(pcm, duration_ms))
        self._unplayed_ms += duration_ms

    def agent(self, *, speaking: bool) -> None:
        """Whether the agent can be heard."""
        self._agent.turn(on=speaking)
        if self._session is not None:
            self._queue.put_nowait(Agent(speaking))

    def user(self, *, speaking: bool) -> None:
        """Whether the pipeline's own VAD hears the user; the server is told by the audio."""
        self._user.turn(on=speaking)

    def words(self, words: Words) -> None:
        """A transcript; only while the line is up."""
        self._queue.put_nowait(words)

    async def run(self, hear: Callable[[ServerMessage], Awaitable[None]]) -> None:
        """Keep a session until cancelled, or until the server refuses for good.

        Args:
            hear: is given the server's messages, oldest first.
        """
        for wait_s in PATIENCE.waits_s():
            error: Exception | None = None
            try:
                async with self._open_session() as session:
                    await self._live(session, hear)
            except* BargeinError as group:
                error = first_of(group)
            finally:
                self._session = None
            if isinstance(error, BargeinError):
                self._complain(error)
                if error.code.retry == "never":
                    return
            await asyncio.sleep(wait_s)

    async def _live(
        self, session: Session, hear: Callable[[ServerMessage], Awaitable[None]]
    ) -> None:
        self._queue = asyncio.Queue()
        self._waiting_ms = self._lost_ms = self._unplayed_ms = 0.0
        if self._agent.moment is not None:
            self._queue.put_nowait(Agent(speaking=True))
        self._session = session
        self._complaint = ""
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(self._write(session))
            async for event in session:
                self._heard_s = asyncio.get_running_loop().time()
                self._hangs = False
                self._follow_user(event)
                await hear(event)
            writer.cancel()

    async def _write(self, session: Session) -> None:
        while True:
            item = await self._queue.get()
            match item:
                case Audio():
                    await self._write_audio(session, item)
                case Played():
                    if session.state is SessionState.CONNECTED:
                        await session.send_agent_audio(item.pcm)
                    self._unplayed_ms -= item.duration_ms
                case Agent(speaking=True):
                    await session.agent_started()
                case Agent():
                    await session.agent_stopped()
                case Words():
                    await session.transcript(item.id, item.text, final=item.final)
                case _:
                    assert_never(item)

    async def _write_audio(self, session: Session, audio: Audio) -> None:
        if audio.lost_ms:
            await session.gap(audio.lost_ms)
        if audio.pcm and session.state is SessionState.CONNECTED:
            await session.send_audio(audio.pcm)
        else:
            await session.gap(audio.duration_ms)
        self._waiting_ms -= audio.duration_ms

    def _follow_user(self, event: ServerMessage) -> None:
        match event:
            case SessionCreated():
                self._hears_user = self._in_overlap = False
            case SpeechStarted() | SpeechStopped():
                self._hears_user = isinstance(event, SpeechStarted)
            case OverlapOpened():
                self._in_overlap = True
            case Interruption() | NonInterruption():
                self._in_overlap = False
            case _:
                pass

    def _unanswered_s(self) -> float:
        """For how long the user has spoken over the agent without a word of the server's."""
        if self._agent.moment is None or self._user.moment is None:
            return 0.0
        if self._hears_user and not self._in_overlap:
            return 0.0  # it has nothing to decide: a cooldown runs, say, or the bot talks on
        since = max(self._agent.moment, self._user.moment, self._heard_s)
        return asyncio.get_running_loop().time() - since

    def _complain(self, error: BargeinError) -> None:
        """Say what happened, but not at each attempt."""
        if self._complaint != str(error):
            self._complaint = str(error)
            logger.warning(f"Bargein is away, the VAD alone decides: {error}")
