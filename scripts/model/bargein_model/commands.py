"""One command per step: compose, train, export, probe."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import click
import onnx
import torch

from bargein_model.composer.corpus import (
    Corpus,
    LackingError,
    Role,
    UnknownSourceError,
    check_sources,
)
from bargein_model.composer.probe import probe_lines
from bargein_model.composer.shards import Shard, StaleShardError, complete_shards, shard_folder
from bargein_model.contract import SoundClass
from bargein_model.export.graph import build
from bargein_model.export.timing import measure
from bargein_model.training.examining import examine
from bargein_model.training.figures import (
    Examined,
    auc_at_ms,
    best_threshold,
    calibrating_shift,
    figures,
)
from bargein_model.training.known import Known, averaged, known
from bargein_model.training.loop import EAR_JOINS, NothingLeftError, Run, Settings
from bargein_model.weights import calibrated, collect
from bargein_model.workers import end_with_parent
from bargein_model.workplace import (
    SHIPPED,
    checkpoint,
    compose_one,
    corpora_options,
    open_corpus,
    progress_bar,
    readable,
    seed_option,
    shards_of,
    weights_file,
    work_option,
)

SAVE_EVERY = 250
EXAM_SHARDS, EXAM_SEED = 6, 7
PROBE_SHARDS = 12
ROLES = [role.value for role in (Role.TRAINING, Role.DEVELOPMENT, Role.REPORTED)]


class _Commands(click.Group):
    """Says in one line what is wrong with corpora, shards, or what is to be left out."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (LackingError, NothingLeftError, StaleShardError, UnknownSourceError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands)
def main() -> None:
    """Compose, train, examine and export the model of Bargein."""


@main.command()
@corpora_options
@seed_option
@click.option("--role", type=click.Choice(ROLES), default=ROLES[0], show_default=True)
@click.option(
    "--shards",
    default=100,
    show_default=True,
    help="How many: 1024 overlaps each, or 512 of twice the length.",
)
@click.option("--workers", default=1, show_default=True, help="Processes that compose.")
def compose(
    corpora: tuple[Path, ...], work: Path, seed: int, role: str, shards: int, workers: int
) -> None:
    """Compose overlaps as features on disk; goes on where an earlier run stopped."""
    open_corpus(corpora, work)
    folder = shards_of(work, Role(role))
    missing = [n for n in range(shards) if not shard_folder(folder, n).exists()]
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(workers, context, end_with_parent) as pool,
        progress_bar() as progress,
    ):
        task = progress.add_task("composing", total=shards, completed=shards - len(missing))
        jobs = [
            pool.submit(compose_one, corpora, work, Role(role), seed, number) for number in missing
        ]
        for job in as_completed(jobs):
            job.result()
            progress.advance(task)


@main.command()
@corpora_options
@click.option(
    "--leave-out",
    multiple=True,
    metavar="SOURCE",
    help="A source, as the manifest calls it, to train without.",
)
@seed_option
@click.option("--name", default="model", show_default=True, help="Names the checkpoint.")
@click.option("--steps", default=9_000, show_default=True, help="Batches of 64 overlaps.")
@click.option("--rate", default=2.5e-3, show_default=True, help="The highest learning rate.")
@click.option("--peak", default=0.3, show_default=True, help="Weight of the peaks that decide.")
@click.option("--dropout", default=0.1, show_default=True, help="Share of signals left out.")
@click.option(
    "--reading", default=0.15, show_default=True, help="Weight of reading along, at first."
)
@click.option(
    "--begin-from",
    metavar="WEIGHTS",
    help="What to start with: another run's NAME, a model FILE.onnx, or `shipped`.",
)
@click.option(
    "--teacher", metavar="WEIGHTS", help="What to follow, which hears every voice alone; likewise."
)
@click.option(
    "--teach",
    multiple=True,
    type=click.Choice([sound.name.lower() for sound in SoundClass]),
    help="Teach overlaps with this class alone, and leave all others as `--begin-from` has them.",
)
@click.option("--keep-every", type=int, help="Keep a copy every so many steps, as NAME-STEP.")
@click.option("--threads", type=int, help="Cores to train on.", show_default="all")
def train(
    corpora: tuple[Path, ...],
    leave_out: tuple[str, ...],
    work: Path,
    seed: int,
    name: str,
    steps: int,
    rate: float,
    peak: float,
    dropout: float,
    reading: float,
    begin_from: str | None,
    teacher: str | None,
    teach: tuple[str, ...],
    keep_every: int | None,
    threads: int | None,
) -> None:
    """Train on the shards that `compose` has made so far; goes on where an earlier run stopped."""
    if teach and begin_from is None:
        raise click.UsageError("--teach needs --begin-from: what the other overlaps stay with")
    torch.set_num_threads(threads or os.cpu_count() or 1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    settings = Settings(
        steps=steps,
        rate=rate,
        peak_weight=peak,
        dropout=dropout,
        reading_weight=reading,
        ear_joins=EAR_JOINS if begin_from is None else 0,
        seed=seed,
        leave_out=leave_out,
        teach=tuple(SoundClass[one.upper()] for one in teach),
    )
    run, shards = Run(settings, device), shards_of(work, Role.TRAINING)
    if leave_out:
        check_sources(leave_out, (clip.source for clip in Corpus(corpora, work / "corpus").clips))
    kept = work / f"{name}.pt"
    if not complete_shards(shards):
        click.echo(f"{shards}: nothing there yet; waiting for `compose`", err=True)
    _begin(run, work, kept, begin_from, teacher)
    with progress_bar() as progress:
        task = progress.add_task("training", total=steps, completed=run.step)
        for loss in run.train(shards):
            progress.update(task, completed=run.step, description=f"loss {loss:.3f}")
            if run.step % SAVE_EVERY == 0:
                run.save(kept)
            if keep_every and run.step % keep_every == 0:
                run.save(work / f"{name}-{run.step}.pt")
    run.save(kept)
    development = _examined(run, Role.DEVELOPMENT, corpora, work)
    threshold = best_threshold(development)
    _print_figures(Role.DEVELOPMENT, development, threshold)
    _print_figures(Role.REPORTED, _examined(run, Role.REPORTED, corpora, work), threshold)
    alone = _examined(run, Role.DEVELOPMENT, corpora, work, alone=True)
    for how, examined in (("as composed", development), ("each alone", alone)):
        ranks = _ranks(examined, SoundClass.BACKCHANNEL)
        click.echo(f"development: interruptions against backchannels, {how} | AUC {ranks}")


def _begin(run: Run, work: Path, kept: Path, begin_from: str | None, teacher: str | None) -> None:
    """Goes on from `kept` or begins, and takes what else the run goes by."""

    def weights(of: str) -> Known:
        path = weights_file(work, of)
        with readable(path):
            return known(path, run.averaged, shards_of(work, Role.TRAINING))

    first = None if begin_from is None else weights(begin_from)
    if kept.exists():
        with readable(kept):
            run.restore(kept)
    elif first is not None:
        run.begin_from(first)
    if run.settings.teach and first is not None:
        run.keep(first)
    if teacher is not None:
        run.follow(weights(teacher))


def _examined(
    run: Run, role: Role, corpora: tuple[Path, ...], work: Path, *, alone: bool = False
) -> Examined:
    """What a run's average says about a role's shards, which are composed first."""
    folder = shards_of(work, role)
    for number in range(EXAM_SHARDS):
        if not shard_folder(folder, number).exists():
            compose_one(corpora, work, role, EXAM_SEED, number)
    return examine(run.averaged, complete_shards(folder)[:EXAM_SHARDS], run.device, alone=alone)


def _print_figures(role: Role, examined: Examined, threshold: float) -> None:
    click.echo(f"{role.value}: {figures(examined, threshold).line()} | AUC {_ranks(examined)}")


def _ranks(examined: Examined, against: SoundClass | None = None) -> str:
    areas = (auc_at_ms(examined, ms, against) for ms in (200, 300, 500, 700, 1000))
    return " ".join(f"{area:.3f}" for area in areas)


@main.command()
@corpora_options
@click.option(
    "--name",
    "names",
    multiple=True,
    default=["model"],
    show_default="model",
    help="Names the checkpoint; of several the mean of their weights is taken.",
)
@click.option("--title", default="general", show_default=True, help="The model's public name.")
@click.option("--version", default="0.1.0", show_default=True)
@click.option("--threshold", type=float, help="Instead of the development set's best.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=SHIPPED)
def export(
    corpora: tuple[Path, ...],
    work: Path,
    names: tuple[str, ...],
    title: str,
    version: str,
    threshold: float | None,
    output: Path,
) -> None:
    """Write the ONNX file of checkpoints' averaged weights, calibrated on the development set."""
    run = Run(Settings(), "cpu")
    paths = [checkpoint(work, name) for name in names]
    with readable(*paths):
        run.take_mean_of(*(averaged(path) for path in paths))
    development = _examined(run, Role.DEVELOPMENT, corpora, work)
    shift = calibrating_shift(development)
    development = development.shifted(shift)
    chosen = best_threshold(development) if threshold is None else threshold
    _print_figures(Role.DEVELOPMENT, development, chosen)
    weights = calibrated(collect(run.averaged), shift)
    onnx.save(build(weights, f"bargein-{title}", version, chosen), output)
    click.echo(f"{output}: {output.stat().st_size / 1e6:.2f} MB, threshold {chosen:.2f}")
    timing = measure(output)
    click.echo(
        f"CPU for 50 ms {timing.hop_ms:.2f} ms, for 100 ms {timing.step_ms:.2f} ms,"
        f" for a window of 3 s {timing.window_ms:.2f} ms"
    )


@main.command()
@work_option
def probe(work: Path) -> None:
    """Try to tell the classes apart by nuisances alone; near 0.5 nothing gives them away."""
    shards = complete_shards(shards_of(work, Role.TRAINING))[:PROBE_SHARDS]
    for line in probe_lines([Shard.load(folder) for folder in shards]):
        click.echo(line)
