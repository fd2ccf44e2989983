"""The command `bargein serve`."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import click

from bargein_server.configuration.config import make_settings, read_toml
from bargein_server.configuration.flags import options
from bargein_server.configuration.settings import Settings, SettingsError

HELP = """Run the server.

WebSockets live on --port, everything else on --http-port. Every setting is a flag, an environment
variable (BARGEIN_PORT) or a line in a TOML file (port = 8765); flags win over the environment, the
environment over the file.

\b
  bargein serve
  bargein serve --record recordings --option threshold=0.6
  BARGEIN_KEYS="KEY:SECRET" bargein serve --host 0.0.0.0
  bargein serve --config bargein.toml

SIGTERM lets running sessions end first (--drain-timeout); a second Ctrl-C does not.
"""


def _read_config(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    if path is not None:
        try:
            ctx.default_map = read_toml(path)
        except SettingsError as error:
            raise click.BadParameter(str(error), ctx, param) from None
    return path


def _config_option() -> click.Option:
    return click.Option(
        ["--config"],
        help="A TOML file of settings; tables [options] and [keys] hold options and keys.",
        type=click.Path(path_type=Path),
        envvar="BARGEIN_CONFIG",
        show_envvar=True,
        is_eager=True,
        expose_value=False,
        callback=_read_config,
    )


def _serve(**values: object) -> None:
    try:
        settings = make_settings(values)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    try:
        run(settings)
    except ImportError as error:  # the client alone was installed
        hint = f'{error.name} is not installed: pip install "bargein[server]"'
        raise click.ClickException(hint) from None


def run(settings: Settings) -> None:
    """Serve until a signal comes.

    Raises:
        click.ClickException: the model cannot be used, or a port not be opened.
    """
    from bargein_server.models.contract import ModelError
    from bargein_server.observing.logs import set_up_logging
    from bargein_server.serving.banner import announce
    from bargein_server.serving.process import serve as serve_until_stopped

    set_up_logging(settings.log_format, settings.log_level)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(serve_until_stopped(settings, announce))
    except (ModelError, SettingsError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


serve = click.Command(
    "serve",
    callback=_serve,
    params=[_config_option(), *options()],
    help=HELP,
    context_settings={"show_default": True},
)
"""The click command, registered in the entry-point group `bargein.commands`."""
