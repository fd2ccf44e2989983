"""A game's sounds out of its Debian package, which is unpacked without being installed."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from bargein_model.gathering.games import Game


class NoPackageError(RuntimeError):
    """The package cannot be fetched here."""


def fetched(game: Game, work: Path, say: Callable[[str], None]) -> Path:
    """The folder of a game's sounds below `work`; they are fetched if they are not there yet.

    Raises:
        NoPackageError: this is no Debian, or its archive cannot be reached.
    """
    kept = work / game.key / game.sounds
    if kept.is_dir():
        return kept
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        message = (
            f"{game.title} comes in the Debian package {game.package}; elsewhere give --sounds"
        )
        raise NoPackageError(message)
    say(f"fetching {game.package}, {game.megabytes} MB …")
    work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=work) as folder:
        half = Path(folder)
        _unpack(game.package, half)
        if game.archive:
            _unzip(half / game.archive, game.sounds, half / "sounds")
            half /= "sounds"
        kept.parent.mkdir(parents=True, exist_ok=True)
        (half / game.sounds).rename(kept)
    return kept


def _unpack(package: str, folder: Path) -> None:
    try:
        subprocess.run(["apt-get", "download", "--quiet", package], cwd=folder, check=True)
        (file,) = folder.glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", file, folder], check=True)
    except (subprocess.CalledProcessError, ValueError) as error:
        message = f"the Debian package {package} cannot be fetched; `apt-get update` may help"
        raise NoPackageError(message) from error
    file.unlink()


def _unzip(archive: Path, inside: str, folder: Path) -> None:
    with ZipFile(archive) as file:
        file.extractall(folder, [name for name in file.namelist() if name.startswith(f"{inside}/")])
