"""The server as a process: from the model to the ports, and from a signal to the end.

SIGTERM, or SIGINT once: refuse new sessions, let the running ones end, then exit. SIGINT again:
end them now.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import Callable, Generator
from pathlib import Path
from tempfile import TemporaryFile

import orjson
from bargein_protocol.errors import ProtocolError

from bargein_server.configuration.settings import Settings, SettingsError
from bargein_server.models.predictor import Predictor
from bargein_server.models.vads import make_vad
from bargein_server.serving.app import Addresses, App, running

logger = logging.getLogger(__name__)

GOOD_SECRET_BYTES = 32
"""A shorter secret may be found from a token by trying; as long as the hash that signs (HS256)."""


async def serve(settings: Settings, announce: Callable[[App, Addresses], None]) -> None:
    """Run until a signal says otherwise; `announce` is called when the ports are open.

    Raises:
        ModelError: the model cannot be used.
        SettingsError: the recordings' folder cannot be written, or the VAD is not installed.
        OSError: a port cannot be opened.
    """
    check(settings)
    predictor = Predictor.open(settings.model, threads=settings.threads)
    try:
        app = App(settings, predictor)
        signals = Signals()
        async with running(app) as addresses:
            with signals.caught(), _ready_file(settings.ready_file, addresses):
                announce(app, addresses)
                gc.freeze()  # what was imported is no garbage; looking for it costs milliseconds
                await signals.stop.wait()
                await app.drain(signals.stop_now)
                logger.info("stopping")
    finally:
        await predictor.close()


def check(settings: Settings) -> None:
    """Whether this machine has what the settings ask for.

    Raises:
        SettingsError: it does not.
    """
    for key, secret in settings.keys.items():
        if len(secret.encode()) < GOOD_SECRET_BYTES:
            logger.warning(
                "the secret of key %r is short: %d random bytes or more cannot be guessed",
                key,
                GOOD_SECRET_BYTES,
            )
    try:
        make_vad(settings.options)
    except ProtocolError as error:
        raise SettingsError(f"option vad={settings.options.vad}: {error.detail}") from None
    folder = settings.record
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise SettingsError(f"record = {folder}: {error.strerror}") from None


class Signals:
    """What the operating system asks of the process."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        """Set by the first signal."""
        self.stop_now = asyncio.Event()
        """Set by SIGINT after another signal."""

    @contextlib.contextmanager
    def caught(self) -> Generator[None]:
        """Catch SIGTERM and SIGINT while the block runs."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop.set)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
            loop.remove_signal_handler(signal.SIGINT)

    def _interrupt(self) -> None:
        (self.stop_now if self.stop.is_set() else self.stop).set()


@contextlib.contextmanager
def _ready_file(path: Path | None, addresses: Addresses) -> Generator[None]:
    """A file that is there, whole, while the server is ready."""
    if path is None:
        yield
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_bytes(orjson.dumps(addresses._asdict() | {"pid": os.getpid()}) + b"\n")
    partial.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
