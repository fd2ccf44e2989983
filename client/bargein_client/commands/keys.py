"""Keys pressed while a command runs."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Callable, Generator

import click

READ_BYTES = 1024


@contextlib.contextmanager
def key_presses(pressed: Callable[[], None]) -> Generator[None]:
    """Within the block, `pressed` is called for each Space or Enter on standard input.

    A terminal gives its keys at once and does not show them meanwhile.
    """
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        data = os.read(descriptor, READ_BYTES)
        if not data:
            loop.remove_reader(descriptor)
        for _ in range(data.count(b" ") + data.count(b"\n")):
            pressed()

    try:
        loop.add_reader(descriptor, read)
    except OSError:  # a file or /dev/null, whose keys nobody presses
        raise click.ClickException(
            "keys are read from a terminal or a pipe, which standard input is not"
        ) from None
    try:
        with _one_key_at_a_time(descriptor):
            yield
    finally:
        loop.remove_reader(descriptor)


@contextlib.contextmanager
def _one_key_at_a_time(descriptor: int) -> Generator[None]:
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
