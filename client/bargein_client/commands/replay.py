"""`bargein replay`: decide recorded sessions again."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import orjson
from bargein_protocol.codec import encode
from bargein_protocol.errors import ProtocolError
from bargein_protocol.options import Options, OptionsUpdate
from rich.console import Console
from rich.progress import track
from rich.text import Text

from bargein_client.cli import install_hint
from bargein_client.commands.options import credentials_options, explained
from bargein_client.commands.wording import moment, wording
from bargein_client.credentials import Keys
from bargein_client.errors import BargeinError
from bargein_client.replaying.compare import Difference
from bargein_client.replaying.engine import Engine, Heard, OpenEngine, find_engine
from bargein_client.replaying.run import (
    AS_FAST_AS_POSSIBLE,
    REAL_TIME,
    Plan,
    differences,
    replay_one,
)

ORDINARY = {"session.created", "speech.started", "speech.stopped", "prediction", "session.closed"}
"""Messages that are shown only with --events."""
DIFFERENT, UNUSABLE = 1, 2
"""Exit codes."""


class UnusableError(click.ClickException):
    """What was asked for cannot be done."""

    exit_code = UNUSABLE


class Speed(click.ParamType[float]):
    """`real`, `max`, or times real time."""

    name = "real|max|N"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read the option."""
        names = {"real": REAL_TIME, "max": AS_FAST_AS_POSSIBLE}
        try:
            speed = names.get(str(value)) or float(value)
        except ValueError:
            speed = 0.0
        if not speed > 0:
            self.fail(f"{value!r} is not real, max or a number over 0", param, ctx)
        return speed


def _settings(
    ctx: click.Context, param: click.Parameter, settings: tuple[str, ...]
) -> OptionsUpdate:
    changes: OptionsUpdate = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise click.BadParameter(f"{setting!r} is not OPTION=VALUE", ctx, param)
        if name not in Options.__struct_fields__:
            known = ", ".join(Options.__struct_fields__)
            raise click.BadParameter(f"no option is named {name!r}; there are {known}", ctx, param)
        try:
            changes[name] = orjson.loads(value)
        except orjson.JSONDecodeError:
            changes[name] = value
    return changes


def _file(**more: bool) -> click.Path:
    return click.Path(dir_okay=False, path_type=Path, **more)


@click.command(short_help="Decide recorded sessions again.")
@click.argument(
    "recordings",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="RECORDING…",
)
@click.option("--url", help="Decide through this server; else in process.")
@click.option(
    "--speed", type=Speed(), help="Default: real through a server (its clock runs), max in process."
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    callback=_settings,
    metavar="OPTION=VALUE",
    help="Another setting; may be given several times.",
)
@click.option("--model", type=_file(exists=True), metavar="FILE", help="Predict with this model.")
@click.option("--predict", "anew", is_flag=True, help="Predict anew, with the shipped model.")
@click.option(
    "--markers",
    type=_file(exists=True),
    metavar="FILE",
    help="Markers of a WAV file; default: its name with .txt.",
)
@click.option("--diff", is_flag=True, help="Compare with what was recorded.")
@click.option("--plot", type=_file(), metavar="FILE.png", help="Draw the time line.")
@click.option("--events", is_flag=True, help="Show every event, not only what matters.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per event.")
@credentials_options
def replay(
    recordings: tuple[Path, ...],
    url: str | None,
    speed: float | None,
    changes: OptionsUpdate,
    model: Path | None,
    anew: bool,
    markers: Path | None,
    diff: bool,
    plot: Path | None,
    events: bool,
    as_json: bool,
    credentials: Keys,
) -> None:
    """Decide recorded sessions again, with the same or with other settings.

    RECORDING is a folder NAME.bargein, or a WAV file beside a text file of markers with one
    `ms  marker` per line, such as `1200  agent.started`.

    In process and with nothing changed the recorded events come again to the byte. With --set,
    --model or --predict the predictions are made anew. With --url a running server decides.
    --diff compares the events to the byte in the first case; in the others the verdicts: their
    kind, their reason, and the onset within 25 ms.

    \b
    Examples:
      bargein replay scripts/samples/interruption.bargein
      bargein replay recordings/*.bargein --set threshold=0.7 --diff
      bargein replay call.bargein --url ws://127.0.0.1:8765 --speed 4
      bargein replay call.wav --markers call.txt --plot call.png

    Exit code: 0; 1 if --diff found differences; 2 if something could not be replayed.
    """  # noqa: D301
    if plot is not None and len(recordings) > 1:
        raise click.UsageError("--plot draws one recording")
    if url is not None and (model is not None or anew):
        raise click.UsageError("--model and --predict go without --url: the server has its model")
    plan = Plan(
        url=url, speed=speed, changes=changes, model=model, anew=anew, credentials=credentials
    )
    open_engine = _engine()
    differ = False
    for path in _with_progress(recordings):
        engine, heard = _replay(open_engine, path, markers, plan)
        if diff and not engine.tape.events:
            raise UnusableError(f"{path}: holds no decisions to compare with")
        found = differences(engine, plan, heard) if diff else []
        differ = differ or bool(found)
        if as_json:
            _print_json(path, heard, found)
        else:
            _print(path, heard, found if diff else None, everything=events)
        if plot is not None:
            _plot(engine, heard, plot)
    if differ:
        raise click.exceptions.Exit(DIFFERENT)


def _engine() -> OpenEngine:
    try:
        return find_engine()
    except ImportError as error:
        raise UnusableError(install_hint(error)) from None


def _replay(
    open_engine: OpenEngine, path: Path, markers: Path | None, plan: Plan
) -> tuple[Engine, list[Heard]]:
    errors: tuple[type[Exception], ...] = (ProtocolError, BargeinError, *open_engine.errors)
    try:
        engine = open_engine(path, markers)
        return engine, replay_one(engine, plan)
    except errors as error:
        raise UnusableError(f"{path}: {explained(error)}") from None


def _with_progress(recordings: tuple[Path, ...]) -> Iterator[Path]:
    """The recordings, with a bar on the terminal if they are many."""
    console = Console(stderr=True)
    if len(recordings) == 1 or not sys.stderr.isatty():
        yield from recordings
    else:
        yield from track(recordings, "Replaying", console=console, transient=True)


def _print(
    path: Path, heard: Iterable[Heard], found: list[Difference] | None, *, everything: bool
) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(Text(path.name, style="bold"))
    for _, message in heard:
        if everything or str(message.__struct_config__.tag) not in ORDINARY:
            console.print(Text.assemble(moment(message), "  ", wording(message)))
    for difference in found or ():
        console.print(Text(f"  - {difference.recorded or 'nothing'}", style="red"))
        console.print(Text(f"  + {difference.replayed or 'nothing'}", style="green"))
    if found is not None:
        count = f"{len(found)} difference{'s' if len(found) > 1 else ''}"
        summary = count if found else "as recorded"
        console.print(Text(f"  {summary}", style="yellow" if found else "dim"))


def _print_json(path: Path, heard: Iterable[Heard], found: list[Difference]) -> None:
    for _, message in heard:
        event = orjson.Fragment(encode(message))
        click.echo(orjson.dumps({"recording": path.name, "event": event}))
    for difference in found:
        click.echo(orjson.dumps({"recording": path.name, "difference": difference._asdict()}))


def _plot(engine: Engine, heard: list[Heard], path: Path) -> None:
    try:
        from bargein_client.replaying.plot import plot
        from bargein_client.replaying.timeline import timeline
    except ImportError as error:
        raise UnusableError(install_hint(error)) from None
    tape = engine.tape
    try:
        plot(tape, timeline(tape, [message for _, message in heard]), path)
    except (OSError, ValueError) as error:
        raise UnusableError(f"{path}: {error}") from None
