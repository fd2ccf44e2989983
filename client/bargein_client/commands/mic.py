"""`bargein mic`: the local microphone as the user of a session."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Literal

import click
from bargein_protocol.codec import encode
from bargein_protocol.messages import ServerMessage
from rich.console import Console
from rich.text import Text

from bargein_client.commands.keys import key_presses
from bargein_client.commands.options import credentials_options, explained, url_option
from bargein_client.commands.wording import moment, wording
from bargein_client.credentials import Keys
from bargein_client.errors import BargeinError, first_of
from bargein_client.hearing import DeafError, Ear, microphone, wav_file
from bargein_client.session import Session, connect

Speaking = Literal["always", "toggle"]
Show = Callable[[ServerMessage], None]


@click.command(short_help="Try it with the local microphone.")
@url_option
@click.option(
    "--agent-speaking",
    type=click.Choice(["always", "toggle"]),
    default="always",
    show_default=True,
    help="When the server is to think that an agent is speaking: all the time, or from one press "
    "of Space or Enter to the next.",
)
@click.option("--device", metavar="NAME", help="A microphone's number or part of its name.")
@click.option(
    "--input",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Hear this WAV file (mono, 16 bit) instead, in real time.",
)
@click.option("--predictions", is_flag=True, help="Show every prediction, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per event, as it came.")
@credentials_options
def mic(
    url: str,
    agent_speaking: Speaking,
    device: str | None,
    path: Path | None,
    predictions: bool,
    as_json: bool,
    credentials: Keys,
) -> None:
    """Try it: stream the local microphone, and see what the server makes of it, as it happens.

    Only what the user says while an agent is speaking is decided about, and here there is no
    agent: nothing is played. So the server is told that one speaks, always or while you want it.
    Say “mm-hmm”, cough, or say “wait, stop”. Ctrl-C ends it.

    \b
    Examples:
      bargein mic
      bargein mic --agent-speaking toggle --predictions
      bargein mic --input scripts/samples/interruption.bargein/user.wav

    The microphone needs `pip install "bargein[mic]"`.
    """  # noqa: D301
    console = Console(soft_wrap=True, highlight=False)

    def show(event: ServerMessage) -> None:
        if as_json:
            click.echo(encode(event))
        else:
            console.print(Text.assemble(moment(event), "  ", wording(event)))

    async def listen() -> None:
        async with (
            _ear(path, device) as ear,
            connect(
                url, audio=ear.audio, options={"predictions": predictions}, **credentials
            ) as session,
        ):
            await _follow(session, ear, agent_speaking, show)

    problem = ""
    try:
        asyncio.run(listen())
    except* (BargeinError, DeafError) as group:
        problem = explained(first_of(group))
    if problem:
        raise click.ClickException(problem)


def _ear(path: Path | None, device: str | None) -> AbstractAsyncContextManager[Ear]:
    if path is not None:
        return contextlib.nullcontext(wav_file(path))
    return microphone(device)


async def _follow(session: Session, ear: Ear, speaking: Speaking, show: Show) -> None:
    async with asyncio.TaskGroup() as tasks, _agent(session, speaking):
        streaming = tasks.create_task(_stream(session, ear))
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, streaming.cancel)
        try:
            async for event in session:
                show(event)
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            streaming.cancel()


async def _stream(session: Session, ear: Ear) -> None:
    """Stream until the file ends or Ctrl-C comes; then the session ends."""
    try:
        async for piece in ear.pieces:
            await session.send_audio(piece)
    finally:
        await session.close()


@asynccontextmanager
async def _agent(session: Session, speaking: Speaking) -> AsyncGenerator[None]:
    """Tells the server when the agent that is not there speaks."""
    if speaking == "always":
        await session.agent_started()
        yield
        return
    async with asyncio.TaskGroup() as tasks:
        changes = tasks.create_task(_toggle(session, pressed := asyncio.Semaphore(0)))
        with key_presses(pressed.release):
            yield
        changes.cancel()


async def _toggle(session: Session, pressed: asyncio.Semaphore) -> None:
    while True:
        await pressed.acquire()
        await session.agent_started()
        click.echo("the agent speaks (Space or Enter to change)", err=True)
        await pressed.acquire()
        await session.agent_stopped()
        click.echo("the agent is silent", err=True)
