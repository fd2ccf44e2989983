"""The `bargein` command: a group that finds its subcommands among the installed entry points.

The client's and the server's commands register in the group `bargein.commands`, so that neither
package imports the other. A command whose libraries are missing is still listed, and says what to
install when it is called.
"""

import warnings
from importlib.metadata import EntryPoint, entry_points

import click

COMMANDS = "bargein.commands"
"""Entry-point group of the subcommands."""


class InstalledCommands(click.Group):
    """A group of whatever is registered as `bargein.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Their names, sorted."""
        return sorted({point.name for point in entry_points(group=COMMANDS)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, or one that says what is missing."""
        for point in entry_points(group=COMMANDS, name=cmd_name):
            try:
                return load(point)
            except ImportError as error:
                return _unavailable(cmd_name, error)
        return None


def load(point: EntryPoint) -> click.Command:
    """The command behind an entry point.

    Raises:
        ImportError: a library that it needs is not installed.
    """
    command = point.load()
    if not isinstance(command, click.Command):
        raise TypeError(f"{point.value} is no command")
    return command


def install_hint(error: ImportError) -> str:
    """What to install so that the import works."""
    extra = "plot" if error.name == "matplotlib" else "server"
    return f'{error.name} is not installed: pip install "bargein[{extra}]"'


def _unavailable(name: str, error: ImportError) -> click.Command:
    hint = install_hint(error)

    @click.command(
        name,
        help=f"Not available: {hint}",
        short_help=f"(not available: {hint})",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def unavailable() -> None:
        raise click.ClickException(hint)

    return unavailable


@click.command(cls=InstalledCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bargein", prog_name="bargein")
def main() -> None:
    """Tell interruptions from everything else while a voice agent is speaking.

    \b
    Start a server, look at what it decides, and decide again on recordings:
      bargein serve --record recordings
      bargein watch
      bargein replay recordings/CALL.bargein --set threshold=0.6 --diff

    `bargein COMMAND --help` explains each with examples.
    """  # noqa: D301
    # PyJWT says this at every use; `bargein serve` says it once, and of which key.
    warnings.filterwarnings("ignore", message="The HMAC key is ")
