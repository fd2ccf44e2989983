"""`bargein watch`: live events in the terminal."""

import asyncio

import click
import orjson
from bargein_protocol.codec import encode
from bargein_protocol.messages import Missed
from rich.console import Console
from rich.text import Text

from bargein_client.commands.options import credentials_options, explained, url_option
from bargein_client.commands.wording import moment, wording
from bargein_client.credentials import Keys
from bargein_client.errors import BargeinError
from bargein_client.retrying import Backoff
from bargein_client.subscription import Followed, subscribe

PATIENCE = Backoff(first_s=0.2, most_s=5.0, attempts=1_000_000)
"""Whoever watches wants to go on watching when the server is back."""


@click.command()
@url_option
@click.option("--session", metavar="ID", help="Only this session.")
@click.option(
    "--types", metavar="A,B", default="", help="Only these messages, e.g. interruption,warning."
)
@click.option("--after", type=click.IntRange(min=0), metavar="SEQ", help="Go on after this event.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, as it came.")
@credentials_options
def watch(
    url: str,
    session: str | None,
    types: str,
    after: int | None,
    as_json: bool,
    credentials: Keys,
) -> None:
    """Follow what a server decides, as it happens.

    One line per event: when on the session's audio clock, which session, what. Lost connections
    are taken up again where they broke. Ctrl-C ends it.

    \b
    Examples:
      bargein watch
      bargein watch --types interruption,non_interruption,false_interruption
      bargein watch --url wss://bargein.example.com --session call-7 --json
    """  # noqa: D301
    console = Console(soft_wrap=True, highlight=False)

    async def follow() -> None:
        chosen = [kind.strip() for kind in types.split(",") if kind.strip()]
        subscription = subscribe(
            url, session=session, types=chosen, after=after, retry=PATIENCE, **credentials
        )
        async with subscription as events:
            async for event in events:
                if as_json:
                    click.echo(_as_json(event))
                else:
                    console.print(_as_line(event))

    try:
        asyncio.run(follow())
    except BargeinError as error:
        raise click.ClickException(explained(error)) from None
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None


def _as_line(event: Followed) -> Text:
    if isinstance(event, Missed):
        return Text(f"{event.count} events came too fast or too long ago", style="yellow")
    return Text.assemble(
        moment(event.message), "  ", (f"{event.session_id:<22.22}", "dim"), " ",
        wording(event.message),
    )  # fmt: skip


def _as_json(event: Followed) -> bytes:
    if isinstance(event, Missed):
        return orjson.dumps({"type": "missed", "seq": event.seq, "count": event.count})
    return orjson.dumps(
        {
            "seq": event.seq,
            "session_id": event.session_id,
            "event": orjson.Fragment(encode(event.message)),
        }
    )
