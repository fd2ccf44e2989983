"""What the commands share: where things lie, and how to say how far one is."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bargein_model.composer.compose import Composer
from bargein_model.composer.corpus import Corpus, Role
from bargein_model.composer.filling import compose_shard
from bargein_model.composer.pools import Pools
from bargein_model.composer.shards import shard_folder
from bargein_model.corpus_folder import CorpusFolder
from bargein_model.export.reading import NotOursError
from bargein_model.training.known import MODEL_FILE

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "server" / "bargein_server" / "models" / "weights" / "bargein.onnx"
Command = TypeVar("Command", bound=Callable[..., None])

_CORPUS = click.option(
    "--corpus",
    "corpora",
    multiple=True,
    type=CorpusFolder(),
    help="A folder with a manifest.csv; may be given several times.",
    default=[ROOT.parent / "shared" / "corpus"],
    show_default="../shared/corpus",
)
work_option = click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where decoded audio, shards and checkpoints lie.",
    default=ROOT / ".model",
    show_default=".model",
)
seed_option = click.option("--seed", default=1, show_default=True, help="For all that is drawn.")


def corpora_options(command: Command) -> Command:
    """Options of every command that reads clips."""
    return _CORPUS(work_option(command))


def progress_bar() -> Progress:
    """What is done, of how much, and how long the rest will take."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )


def open_corpus(corpora: tuple[Path, ...], work: Path) -> Corpus:
    """Reads the manifests and decodes what is not decoded yet."""
    corpus = Corpus(corpora, work / "corpus")
    with progress_bar() as progress:
        task = progress.add_task("decoding", total=len(corpus.reels))
        for _ in corpus.decode(sorted(corpus.reels)):
            progress.advance(task)
    return corpus


def shards_of(work: Path, role: Role) -> Path:
    """The folder of composed shards."""
    return work / "shards" / role.value


def compose_one(corpora: tuple[Path, ...], work: Path, role: Role, seed: int, number: int) -> None:
    """Composes a shard and saves it; the corpora must be decoded."""
    composer, varied = _composer(corpora, work, role), role is Role.TRAINING
    shard = compose_shard(composer, seed, number, varied=varied)
    shard.save(shard_folder(shards_of(work, role), number))


@cache
def _composer(corpora: tuple[Path, ...], work: Path, role: Role) -> Composer:
    return Composer(Pools(Corpus(corpora, work / "corpus"), role))


def checkpoint(work: Path, name: str) -> Path:
    """A run's checkpoint, which must be there."""
    path = work / f"{name}.pt"
    if not path.exists():
        there = ", ".join(sorted(one.stem for one in work.glob("*.pt"))) or "none"
        raise click.ClickException(f"{path}: no such checkpoint; there are: {there}")
    return path


def weights_file(work: Path, name: str) -> Path:
    """The shipped file, another model file, or a run's checkpoint."""
    if name == "shipped":
        return SHIPPED
    return Path(name) if name.endswith(MODEL_FILE) else checkpoint(work, name)


@contextmanager
def readable(*weights: Path) -> Generator[None]:
    """Ends the command with one line about files that turn out not to be of any use."""
    try:
        yield
    except (NotOursError, OSError) as error:
        raise click.ClickException(str(error)) from error
    except (RuntimeError, KeyError) as error:
        named = ", ".join(map(str, weights))
        message = f"{named}: weights of another network; train under another --name"
        raise click.ClickException(message) from error
