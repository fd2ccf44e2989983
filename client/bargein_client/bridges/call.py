"""One call with I/O: a leg, its senders, and its Bargein session."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, assert_never

from bargein_protocol.messages import Interruption, ServerMessage, SessionCreated

from bargein_client.bridges.leg import (
    PAUSE_MS,
    Action,
    AgentIs,
    Complain,
    EndSession,
    Hear,
    Leg,
    OpenSession,
    ToAgent,
    ToPlatform,
)
from bargein_client.bridges.platform import Message, Platform
from bargein_client.errors import BargeinError
from bargein_client.session import DEFAULT_URL, Session, connect

logger = logging.getLogger(__name__)

Send = Callable[[Message], Awaitable[None]]
"""Sends one message."""

MAX_WAITING = 500
"""Frames that wait for the session (10 s of 20 ms); more are left out and reported as a gap."""
GOODBYE_S = 5.0
"""How long a call that is over waits for its session to end."""


class Call:
    """A phone call that Bargein listens to, inside a handler of your own.

        async with Call(Twilio(), to_platform=twilio.send, url="ws://127.0.0.1:8765") as call:
            async for message in twilio:
                await call.from_platform(message)

    Your agent's messages to the platform go through `from_agent`, so that the call knows what the
    caller hears; they are sent on by `to_platform`. An interruption clears the playback and drops
    the rest of the agent's answer. The call goes on, unheard, if Bargein cannot be reached.

    Args:
        platform: a fresh object of the call's platform.
        to_platform: sends a message to the platform.
        to_agent: sends a message to your agent's socket, if it has one.
        on_event: is given every message of the session.
        url: of the Bargein server.
        pause_ms: how long the agent must be quiet after an interruption until it is heard again.
        notify: whether `to_agent` also gets an extra message per verdict.
        session: further arguments of `bargein_client.connect` (`key`, `secret`, `options`, …).
    """

    def __init__(
        self,
        platform: Platform,
        *,
        to_platform: Send,
        to_agent: Send | None = None,
        on_event: Callable[[ServerMessage], Awaitable[None]] | None = None,
        url: str = DEFAULT_URL,
        pause_ms: float = PAUSE_MS,
        notify: bool = True,
        **session: Any,  # noqa: ANN401
    ) -> None:
        self._leg = Leg(platform, pause_ms=pause_ms, notify=notify)
        self._to_platform = to_platform
        self._to_agent = to_agent
        self._on_event = on_event
        self._url = url
        self._arguments = session
        self._waiting: asyncio.Queue[Hear | AgentIs | None] = asyncio.Queue()
        self._left_out_bytes = 0
        self._turns_begun = 0
        self._turns_told_ms: list[float] = []
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Nothing happens until the platform says that the call has started."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the session, if there is one."""
        self._waiting.put_nowait(None)
        if self._listening is not None:
            try:
                async with asyncio.timeout(GOODBYE_S):
                    await self._listening
            except TimeoutError:
                logger.warning("the session did not end in %g s", GOODBYE_S)

    async def from_platform(self, message: Message) -> None:
        """The platform sent a message."""
        await self._do(self._leg.from_platform(message))

    async def from_agent(self, message: Message) -> None:
        """The agent sent a message that is meant for the platform."""
        await self._do(self._leg.from_agent(message))

    async def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case ToPlatform():
                    await self._to_platform(action.message)
                case ToAgent():
                    if self._to_agent is not None:
                        await self._to_agent(action.message)
                case OpenSession():
                    self._open(action)
                case AgentIs():
                    self._turns_begun += action.speaking
                    self._wait(action)
                case Hear():
                    self._wait(action)
                case EndSession():
                    self._waiting.put_nowait(None)
                case Complain():
                    logger.warning("%s", action.reason)
                case _:
                    assert_never(action)

    def _open(self, action: OpenSession) -> None:
        if self._listening is not None:
            logger.warning("the platform started the call twice; the first start counts")
            return
        self._listening = asyncio.create_task(self._listen(action))

    def _wait(self, item: Hear | AgentIs) -> None:
        if isinstance(item, Hear) and self._waiting.qsize() >= MAX_WAITING:
            self._left_out_bytes += len(item.user)
        else:
            self._waiting.put_nowait(item)

    async def _listen(self, action: OpenSession) -> None:
        metadata = action.metadata | {"call_id": action.call_id}
        arguments: dict[str, Any] = {"audio": action.audio, "metadata": metadata} | self._arguments
        try:
            async with connect(self._url, **arguments) as session, asyncio.TaskGroup() as group:
                group.create_task(self._tell(session, action))
                group.create_task(self._follow(session))
        except* BargeinError as problems:
            for problem in problems.exceptions:
                logger.warning("the call goes on without Bargein: %s", problem)

    async def _tell(self, session: Session, action: OpenSession) -> None:
        while (item := await self._waiting.get()) is not None:
            if isinstance(item, AgentIs):
                if item.speaking:
                    self._turns_told_ms.append(session.at_ms)
                await (session.agent_started() if item.speaking else session.agent_stopped())
                continue
            await session.send_audio(item.user)
            if item.agent:
                await session.send_agent_audio(item.agent)
            await self._own_up(session, action)
        await session.close()

    async def _own_up(self, session: Session, action: OpenSession) -> None:
        """Report what was left out once the queue has caught up."""
        if self._left_out_bytes and self._waiting.empty():
            left_out, self._left_out_bytes = self._left_out_bytes, 0
            samples = left_out / action.audio.bytes_per_sample
            await session.gap(samples * 1000 / action.audio.sample_rate)

    def _is_over(self, event: ServerMessage) -> bool:
        """Whether it cuts off a turn of the agent's that another has followed since.

        What was said while Bargein was away is heard later, up to ten seconds of it.
        """
        if not isinstance(event, Interruption):
            return False
        return sum(told <= event.at_ms for told in self._turns_told_ms) < self._turns_begun

    async def _follow(self, session: Session) -> None:
        created = False
        async for event in session:
            if isinstance(event, SessionCreated):
                if created:  # again, maybe begun anew with a clock of its own
                    self._turns_told_ms = [min(told, event.at_ms) for told in self._turns_told_ms]
                created = True
            if not self._is_over(event):
                await self._do(self._leg.verdict(event))
            if self._on_event is not None:
                await self._on_event(event)
