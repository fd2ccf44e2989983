"""The command `evaluate`."""

import os
import sys

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # one core per process; there are several processes

from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402

import click  # noqa: E402
from bargein_server.models.contract import ModelError  # noqa: E402
from bargein_server.models.predictor import SyncPredictor  # noqa: E402
from rich.console import Console  # noqa: E402

from bargein_model.composer.corpus import Corpus, LackingError, UnknownSourceError  # noqa: E402
from bargein_model.corpus_folder import CorpusFolder  # noqa: E402
from bargein_model.evaluation import output  # noqa: E402
from bargein_model.evaluation.composing import compose  # noqa: E402
from bargein_model.evaluation.exam import Exam, watched  # noqa: E402
from bargein_model.evaluation.examination import (  # noqa: E402
    ORACLE_SYSTEMS,
    RULE_NAMES,
    SYSTEMS,
    Setting,
    examine_all,
)
from bargein_model.evaluation.material import ROTATION  # noqa: E402
from bargein_model.evaluation.planning import Plan  # noqa: E402
from bargein_model.evaluation.sheet import Sheet  # noqa: E402
from bargein_model.evaluation.tables import SHIPPED, WIRE, report  # noqa: E402

ROOT = Path(__file__).resolve().parents[4]
FILE = click.Path(dir_okay=False, path_type=Path)
MODEL = click.Path(exists=True, dir_okay=False, path_type=Path)
PLAIN_WIDTH = 160
"""Characters in a line where no terminal says."""
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(context_settings={"max_content_width": 100})
@click.option("--model", type=MODEL, help="An ONNX file; default: the one that the server ships.")
@click.option("--threshold", type=float, help="Default: the model's own.")
@click.option(
    "--corpus",
    "corpora",
    multiple=True,
    type=CorpusFolder(),
    default=[ROOT.parent / "shared" / "corpus"],
    show_default="../shared/corpus",
    help="A folder with a manifest.csv; may be given several times.",
)
@click.option(
    "--work",
    type=FOLDER,
    default=ROOT / ".model",
    show_default=".model",
    help="Where decoded audio is kept.",
)
@click.option(
    "--items",
    default=150,
    show_default=True,
    help="Per class under mixed conditions; 0.4 times as many under each other one.",
)
@click.option("--seed", default=1, show_default=True, help="Of everything that is drawn.")
@click.option(
    "--leave-out",
    multiple=True,
    metavar="SOURCE",
    help="Examine on sources of the training split which the model given by --model was trained "
    f"without. For instance: {'; '.join(ROTATION)}.",
)
@click.option(
    "--extra",
    is_flag=True,
    help="Further voices that this machine has installed, in "
    "languages without training speech, too (see evaluation/extra.py).",
)
@click.option("--url", help="Put the items to this running server, too: ws://127.0.0.1:8765.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default="cores", help="Processes.")
@click.option("--json", "json_file", type=FILE, help="Write every answer and every table.")
@click.option("--markdown", type=FILE, help="Put the tables into this file, between its marks.")
@click.option("--plots", type=FOLDER, help="Draw DET, calibration and detection-time curves.")
def main(
    model: Path | None,
    threshold: float | None,
    corpora: tuple[Path, ...],
    work: Path,
    items: int,
    seed: int,
    leave_out: tuple[str, ...],
    extra: bool,
    url: str | None,
    jobs: int,
    json_file: Path | None,
    markdown: Path | None,
    plots: Path | None,
) -> None:
    """Examine a model on overlaps from sources it was not trained on, beside rules without one.

    The same seed, corpus and number of items give the same exam to the sample.
    """
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
    try:
        info = SyncPredictor.open(model).info
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    exam = Exam(corpora, work, frozenset(leave_out), seed, items)
    setting = Setting(model, threshold, exam.cache)
    try:
        plans = exam.plans()
    except (UnknownSourceError, LackingError) as error:
        raise click.ClickException(str(error)) from error
    sheet = _examined(plans, setting, jobs)
    systems = list(SYSTEMS)
    if url:
        sheet, alike = _over_the_wire(url, plans, sheet, setting)
        console.print(f"{url} decided {alike} of {len(sheet)} items as this process did.")
        systems.insert(1, WIRE)
    further = _examined(exam.extra_plans(), setting, jobs) if extra else None
    tables = report(sheet, systems, ORACLE_SYSTEMS, further)
    about = (
        f"Model {info.name} {info.version}, threshold {threshold or info.default_threshold:g}; "
        f"{len(sheet)} items, seed {seed}; interruptions from "
        f"{', '.join(leave_out) or 'the validation split of the corpus'}."
    )
    console.print(about)
    output.show(tables, console)
    if json_file:
        sheets = {"exam": sheet} | ({"extra": further} if further else {})
        output.to_json(json_file, tables, sheets, {"summary": about})
    if markdown:
        output.update_markdown(markdown, output.to_markdown(tables, about))
    if plots:
        from bargein_model.evaluation.plots import draw

        draw(sheet, plots, RULE_NAMES)


def _examined(plans: list[Plan], setting: Setting, jobs: int) -> Sheet:
    return Sheet(watched(examine_all(plans, setting, jobs), "examining", len(plans)))


def _over_the_wire(
    url: str, plans: list[Plan], sheet: Sheet, setting: Setting
) -> tuple[Sheet, int]:
    """The sheet with the server's answers beside ours, and how many are the same."""
    from bargein_model.evaluation.remote import ask

    corpus = Corpus((), setting.cache)
    items = (compose(plan, corpus) for plan in plans)
    answers = dict(watched(ask(url, items, setting.threshold), "over the wire", len(plans)))
    trials = [
        replace(trial, flagged={**trial.flagged, WIRE: answers[trial.facts.name]})
        for trial in sheet.trials
    ]
    alike = sum(trial.flagged[WIRE] == trial.flagged[SHIPPED] for trial in trials)
    return Sheet(trials), alike
