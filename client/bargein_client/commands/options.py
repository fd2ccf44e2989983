"""Options that several commands share."""

import functools
from collections.abc import Callable
from typing import Any

import click

from bargein_client.credentials import Keys
from bargein_client.session import DEFAULT_URL

Command = Callable[..., Any]

url_option = click.option(
    "--url", default=DEFAULT_URL, show_default=True, envvar="BARGEIN_URL", help="The server."
)


def credentials_options(command: Command) -> Command:
    """`--key`, `--secret` and `--token`, handed on as `credentials`."""

    @click.option("--key", envvar="BARGEIN_KEY", help="API key; needs --secret.")
    @click.option("--secret", envvar="BARGEIN_SECRET", help="Secret of the key.")
    @click.option("--token", envvar="BARGEIN_TOKEN", help="A ready token instead.")
    @functools.wraps(command)
    def wrapped(
        *args: object, key: str | None, secret: str | None, token: str | None, **more: object
    ) -> object:
        credentials: Keys = {"key": key, "secret": secret, "token": token}
        if (key is None) != (secret is None):
            raise click.UsageError("--key and --secret go together")
        return command(*args, credentials=credentials, **more)

    return wrapped
