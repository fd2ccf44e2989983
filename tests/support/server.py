"""A real server on free loopback ports, inside the test's own event loop.

async with running_server(keys={"key": "secret"}) as server:
    async with connect(server.session_url) as websocket: ...
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

from bargein_server.configuration.settings import Settings
from bargein_server.models.predictor import Predictor
from bargein_server.serving.app import App, running


@dataclass(frozen=True)
class RunningServer:
    """A server that is up."""

    app: App
    url: str
    """Base of the WebSocket port: ws://127.0.0.1:PORT."""
    http_url: str
    """Base of the HTTP port: http://127.0.0.1:PORT."""

    @property
    def session_url(self) -> str:
        """The native protocol."""
        return f"{self.url}/v1/session"

    @property
    def events_url(self) -> str:
        """The event stream."""
        return f"{self.url}/v1/events"


@contextlib.asynccontextmanager
async def running_server(
    *, predictor: Predictor | None = None, **settings: Any
) -> AsyncGenerator[RunningServer]:
    """Start a server with these `Settings` (free ports unless given) and stop it afterwards.

    `predictor`: one that the caller opened and closes; by default one of the shipped model.
    """
    chosen = Settings(**dict[str, Any](port=0, http_port=0) | settings)
    own = Predictor.open(chosen.model) if predictor is None else None
    try:
        app = App(chosen, predictor or own)  # type: ignore[arg-type]
        async with running(app) as addresses:
            yield RunningServer(app, addresses.url, addresses.http_url)
    finally:
        if own is not None:
            await own.close()


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until this holds; hangs (until the test's timeout) if it never does."""
    while not condition():  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0)


async def settled(tasks: int) -> None:
    """Let the loop run until no more than this many tasks are left."""
    await until(lambda: len(asyncio.all_tasks()) <= tasks)
