"""Options that several commands share."""

import functools
from collections.abc import Callable
from typing import Any

import click
from bargein_protocol.errors import ErrorCode

from bargein_client.credentials import Keys
from bargein_client.errors import BargeinError
from bargein_client.session import DEFAULT_URL

Command = Callable[..., Any]

url_option = click.option(
    "--url",
    default=DEFAULT_URL,
    show_default=True,
    envvar="BARGEIN_URL",
    show_envvar=True,
    help="The server.",
)


_option = functools.partial(click.option, show_envvar=True)


def explained(error: Exception) -> str:
    """What went wrong, in the words of the command line."""
    unauthorized = isinstance(error, BargeinError) and error.code is ErrorCode.UNAUTHORIZED
    return f"{error} (give --key with --secret, or --token)" if unauthorized else str(error)


def credentials_options(command: Command) -> Command:
    """`--key`, `--secret` and `--token`, handed on as `credentials`."""

    @_option("--key", envvar="BARGEIN_KEY", help="API key; needs --secret.")
    @_option("--secret", envvar="BARGEIN_SECRET", help="Secret of the key.")
    @_option("--token", envvar="BARGEIN_TOKEN", help="A ready token instead.")
    @functools.wraps(command)
    def wrapped(
        *args: object, key: str | None, secret: str | None, token: str | None, **more: object
    ) -> object:
        credentials: Keys = {"key": key, "secret": secret, "token": token}
        if (key is None) != (secret is None):
            raise click.UsageError("--key and --secret go together")
        if key is not None and token is not None:
            raise click.UsageError(
                "give either --key and --secret or --token (each may also be in the environment)"
            )
        return command(*args, credentials=credentials, **more)

    return wrapped
