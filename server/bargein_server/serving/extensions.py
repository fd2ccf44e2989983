"""What is served: the native protocol and its events, and what other modules add.

A module adds its WebSocket paths to `app.listener` and its HTTP paths to `app.companion.app.router`
in a function of its own that takes the `App`; name that function in `EXTENSIONS`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from bargein_server.livekit.dialect import add_livekit
from bargein_server.observing.subscribers import check_query, follow
from bargein_server.pages.routes import add_pages
from bargein_server.serving.listener import Route
from bargein_server.serving.native import converse

if TYPE_CHECKING:
    from bargein_server.serving.app import App


def add_sessions(app: "App") -> None:
    """`/v1/session`: the native protocol."""
    timeout_s = app.settings.create_timeout_s
    app.listener.add(
        Route(
            name="/v1/session",
            matches=lambda path: path == "/v1/session",
            allows=lambda grant: bool(grant.session),
            serve=lambda connection: converse(connection, app.sessions, timeout_s),
        )
    )


def add_events(app: "App") -> None:
    """`/v1/events`: what sessions say, for subscribers."""
    log, metrics = app.services.event_log, app.services.metrics
    app.listener.add(
        Route(
            name="/v1/events",
            matches=lambda path: path == "/v1/events",
            allows=lambda grant: bool(grant.events),
            serve=lambda connection: follow(connection, log, metrics),
            check=check_query,
        )
    )


EXTENSIONS: list[Callable[["App"], None]] = [add_sessions, add_events, add_pages, add_livekit]
