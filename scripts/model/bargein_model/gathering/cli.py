"""`./scripts/model/gather`."""

from pathlib import Path

import click
from rich.progress import track

from bargein_model.gathering.games import DRASCULA, GAMES, MEGAGLEST, Game, MissingError
from bargein_model.gathering.packages import NoPackageError, fetched
from bargein_model.recordings import Recording, write_corpus

WORK = Path(__file__).resolve().parents[4] / ".model"
BY_KEY = {game.key: game for game in GAMES}
KNOWN = "\n".join(
    f"  {game.key:<10} {game.title}, {game.licence}; {game.package}, {game.megabytes} MB"
    for game in GAMES
)


@click.command(
    help="Gather what people say in games, as a corpus folder that `compose` reads.\n\n"
    f"GAME is one or more of:\n\n\b\n{KNOWN}\n\n"
    "Without any it is megaglest and drascula, which are trained on. What zeroad has is only for "
    "the development set. A later call writes the folder anew."
)
@click.argument("games", nargs=-1, type=click.Choice(tuple(BY_KEY)), metavar="[GAME]...")
@click.option(
    "--sounds",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    show_default="what the Debian package has, fetched into .model",
    help="The folder of the game's sounds; for one GAME only.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=WORK / "gathered",
    show_default=".model/gathered",
    help="The corpus folder to write.",
)
def gather(games: tuple[str, ...], sounds: Path | None, output: Path) -> None:
    """Writes the corpus folder of what is on the games' lists."""
    chosen = [BY_KEY[key] for key in dict.fromkeys(games)] or [MEGAGLEST, DRASCULA]
    if sounds is not None and len(chosen) > 1:
        raise click.UsageError("--sounds is one game's folder; name that GAME")
    try:
        found = [one for game in chosen for one in _of(game, sounds)]
    except (MissingError, NoPackageError) as error:
        raise click.ClickException(str(error)) from error
    for _ in track(write_corpus(output, found, "train"), "gathering", len(found)):
        pass
    click.echo(f"{len(found)} recordings in {output}")


def _of(game: Game, sounds: Path | None) -> list[Recording]:
    folder = fetched(game, WORK, click.echo) if sounds is None else sounds
    return list(game.recordings(folder))
