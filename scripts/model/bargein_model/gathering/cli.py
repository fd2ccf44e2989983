"""`./scripts/model/gather`."""

from pathlib import Path

import click
from rich.progress import track

from bargein_model.gathering.megaglest import recordings
from bargein_model.recordings import write_corpus

ROOT = Path(__file__).resolve().parents[4]


@click.command()
@click.option(
    "--sounds",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=ROOT / ".model" / "megaglest" / "usr/share/games/megaglest/techs/megapack",
    show_default="what the Debian package megaglest-data has",
    help="The folder techs/megapack of MegaGlest's data.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / ".model" / "gathered",
    show_default=".model/gathered",
)
def gather(sounds: Path, output: Path) -> None:
    """Gather people's acknowledgements and short questions from a game's sounds."""
    try:
        found = list(recordings(sounds))
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from error
    for _ in track(write_corpus(output, found, "train"), "gathering", len(found)):
        pass
    click.echo(f"{len(found)} recordings in {output}")
