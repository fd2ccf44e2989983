"""`bargein bridge`: between a telephone platform and the socket of an agent."""

import asyncio
import contextlib
import logging
import signal
from typing import Any
from urllib.parse import urlsplit

import click

from bargein_client.bridges.leg import PAUSE_MS
from bargein_client.bridges.middleware import Bridge, listen
from bargein_client.bridges.platform import Platform
from bargein_client.bridges.platforms import PLATFORMS
from bargein_client.commands.options import credentials_options, url_option
from bargein_client.credentials import Keys

logger = logging.getLogger(__name__)


class Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT."""

    name = "HOST:PORT"

    def convert(
        self,
        value: Any,  # noqa: ANN401
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, int]:
        """Split it."""
        if isinstance(value, tuple):
            return value  # pyright: ignore[reportUnknownVariableType]
        host, _, port = str(value).rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            self.fail(f"{value!r} is not HOST:PORT with a port of 0 to 65535", param, ctx)
        return host, int(port)


@click.command()
@click.argument("platform", type=click.Choice(sorted(PLATFORMS)))
@click.option(
    "--to", required=True, metavar="URL", help="Your agent: ws://… (audiosocket: tcp://…)."
)
@click.option(
    "--listen",
    "address",
    type=Address(),
    default="127.0.0.1:8770",
    show_default=True,
    help="Where the platform connects.",
)
@url_option
@credentials_options
@click.option(
    "--pause-ms",
    type=click.FloatRange(0, 10_000),
    default=PAUSE_MS,
    show_default=True,
    help="After an interruption the agent's audio is dropped until it was quiet for so long.",
)
@click.option(
    "--notify/--no-notify",
    default=True,
    show_default=True,
    help="Tell the agent of each verdict by an extra message.",
)
@click.option(
    "--drain-timeout",
    "drain_timeout_s",
    type=click.FloatRange(0, 604_800),
    default=1800,
    show_default=True,
    metavar="SECONDS",
    help="After SIGTERM, how long calls that have begun may go on.",
)
def bridge(
    platform: str,
    to: str,
    address: tuple[str, int],
    url: str,
    pause_ms: float,
    notify: bool,
    drain_timeout_s: float,
    credentials: Keys,
) -> None:
    """Put Bargein between a telephone platform and your agent.

    The platform connects here instead of to your agent; every message passes both ways unchanged,
    and so do the headers it connects with, and its path and query unless the agent's URL has some.
    Bargein hears the caller and what the caller hears of the agent. On an interruption the
    platform's playback is cleared and the rest of the agent's answer is dropped; over a
    backchannel the agent talks on. If Bargein is away the call goes on without it.

    \b
    Examples:
      bargein bridge twilio --to ws://127.0.0.1:9000/twilio
      bargein bridge vonage --to ws://127.0.0.1:9000 --listen 0.0.0.0:8770
      bargein bridge audiosocket --to tcp://127.0.0.1:9092 --listen 127.0.0.1:9093
    """  # noqa: D301
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
    call = {"url": url, "pause_ms": pause_ms, "notify": notify} | dict(credentials)
    chosen = Bridge(platform=PLATFORMS[platform], to=to, call=call)
    _check(chosen.platform, to)
    try:
        asyncio.run(_run(chosen, *address, drain_timeout_s))
    except OSError as error:
        raise click.ClickException(f"cannot listen at {address[0]}:{address[1]}: {error}") from None
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None


def _check(platform: type[Platform], to: str) -> None:
    schemes = ("tcp",) if platform.transport == "tcp" else ("ws", "wss")
    parts = urlsplit(to)
    if parts.scheme not in schemes or not parts.hostname:
        wanted = " or ".join(f"{scheme}://" for scheme in schemes)
        raise click.BadParameter(
            f"{to!r} is no {wanted} URL, which {platform.name} needs", param_hint="'--to'"
        )


async def _run(bridge: Bridge, host: str, port: int, drain_timeout_s: float) -> None:
    stop, stop_now = asyncio.Event(), asyncio.Event()

    def interrupt() -> None:
        (stop_now if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows: an interrupt ends everything
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGINT, interrupt)
    async with listen(bridge, host, port) as reception:
        scheme = "tcp" if bridge.platform.transport == "tcp" else "ws"
        where = f"{scheme}://{host}:{reception.port}"
        click.echo(f"{bridge.platform.name} calls at {where} go to {bridge.to}")
        await stop.wait()
        reception.refuse()
        logger.info("draining: %d calls may go on; interrupt to end them now", reception.calls)
        waits = [asyncio.create_task(reception.all_ended()), asyncio.create_task(stop_now.wait())]
        await asyncio.wait(waits, timeout=drain_timeout_s, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
