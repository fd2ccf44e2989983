"""One server: its parts put together, started, drained and stopped.

state     new sessions  ports          goes to
────────  ────────────  ─────────────  ─────────────────────────────
STARTING  –             not yet open   READY
READY     welcome       open           DRAINING by `drain`
DRAINING  503           open           STOPPED when the last session ended, or in time
STOPPED   –             closed         –
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from enum import Enum, auto
from importlib.metadata import version
from typing import NamedTuple

from bargein_protocol.errors import ErrorCode
from bargein_protocol.messages import ModelInfo, ServerInfo

from bargein_server.configuration.settings import Settings
from bargein_server.models.predictor import Predictor
from bargein_server.models.vads import make_vad
from bargein_server.observing.census import Census
from bargein_server.observing.event_log import EventLog
from bargein_server.observing.metrics import Metrics
from bargein_server.serving.auth import Authority
from bargein_server.serving.extensions import EXTENSIONS
from bargein_server.serving.http import Companion
from bargein_server.serving.listener import Listener
from bargein_server.serving.ports import is_served
from bargein_server.sessions.options import resolve
from bargein_server.sessions.registry import Sessions
from bargein_server.sessions.services import Services

logger = logging.getLogger(__name__)


class AppState(Enum):
    """Where a server stands."""

    STARTING = auto()
    READY = auto()
    DRAINING = auto()
    STOPPED = auto()


class Addresses(NamedTuple):
    """Where a server listens."""

    host: str
    port: int
    http_port: int

    @property
    def url(self) -> str:
        """Base URL of the WebSocket port."""
        return f"ws://{_bracketed(self.host)}:{self.port}"

    @property
    def http_url(self) -> str:
        """Base URL of the HTTP port."""
        return f"http://{_bracketed(self.host)}:{self.http_port}"


class App:
    """The parts of one server; `running` starts and stops it.

    Args:
        settings: what it runs by.
        predictor: open and warm; the caller closes it.
    """

    def __init__(self, settings: Settings, predictor: Predictor) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.authority = Authority(settings.keys, leeway_s=settings.token_leeway_s)
        info = predictor.info
        self.services = Services(
            settings=settings,
            defaults=resolve(settings.options, info.default_threshold),
            predictor=predictor,
            vad=make_vad,
            event_log=EventLog(settings.event_log_count, settings.event_log_bytes),
            metrics=self.metrics,
            census=Census(),
            model=ModelInfo(
                name=info.name, version=info.version, default_threshold=info.default_threshold
            ),
            server=ServerInfo(name="bargein", version=version("bargein")),
        )
        self.sessions = Sessions(self.services)
        self.listener = Listener(self.services, self.authority)
        self.companion = Companion(self.services, self.authority, self.sessions, self.is_ready)
        self.state = AppState.STARTING
        self.addresses = Addresses(settings.host, settings.port, settings.http_port)
        """Where it listens; a port of 0 is replaced by the real one in `start`."""
        for extend in EXTENSIONS:
            extend(self)

    def is_ready(self) -> bool:
        """Whether new sessions are welcome."""
        return self.state is AppState.READY

    async def start(self) -> Addresses:
        """Open the ports.

        Raises:
            OSError: a port is taken, or the host is not an address of this machine.
        """
        settings = self.settings
        await self._warn_if_shared()
        http_port = await self.companion.start(settings.http_port)
        port = await self.listener.start(settings.port)
        self.state = AppState.READY
        self.addresses = Addresses(settings.host, port, http_port)
        return self.addresses

    async def _warn_if_shared(self) -> None:
        """Sharing ports is how one server takes over from another, and else a mistake."""
        for port in {self.settings.port, self.settings.http_port} - {0}:
            if await is_served(self.settings.host, port):
                logger.warning(
                    "another server listens on port %d, too: each gets a part of the connections, "
                    "and sessions of one are unknown to the other, until one of them is stopped",
                    port,
                )

    async def drain(self, hurry: asyncio.Event) -> None:
        """Refuse new sessions and let the running ones end.

        Returns when none is left, when `hurry` is set, or after `drain_timeout_s`.
        """
        self.state = AppState.DRAINING
        await self.listener.refuse()
        await self.companion.yield_port()
        count = self.services.census.count
        logger.info("draining: %d sessions may go on; interrupt to end them now", count)
        async with asyncio.TaskGroup() as group:
            waits = [
                group.create_task(self.services.census.empty()),
                group.create_task(_wait(hurry)),
            ]
            timeout_s = self.settings.drain_timeout_s
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()

    async def stop(self) -> None:
        """End all sessions (close code 1012) and close the ports."""
        self.state = AppState.STOPPED
        self.sessions.end_all(ErrorCode.SHUTTING_DOWN)
        await self.listener.stop(ErrorCode.SHUTTING_DOWN.close_code or 1012)
        await self.companion.stop()


@contextlib.asynccontextmanager
async def running(app: App) -> AsyncGenerator[Addresses]:
    """A started server; it is stopped on leaving."""
    try:
        yield await app.start()
    finally:
        await app.stop()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
