"""A small stored exam, and the figures that the shipped model reaches on it.

./scripts/model/fixtures             after new weights: write the figures anew
./scripts/model/fixtures --compose   make the clips anew, too (needs the corpus)
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click
import msgspec
import numpy as np
import orjson
import soundfile
from bargein_server.models.predictor import SyncPredictor

from bargein_model.composer.corpus import Corpus
from bargein_model.contract import SAMPLE_RATE
from bargein_model.evaluation import metrics
from bargein_model.evaluation.composing import compose
from bargein_model.evaluation.deciding import Onset, Subject
from bargein_model.evaluation.items import Condition, Facts, Group, Item
from bargein_model.evaluation.material import Material
from bargein_model.evaluation.planning import plan_exam

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "tests" / "model" / "fixtures"
ITEMS, FIGURES = "items.json", "figures.json"
SEED, PER_GROUP = 1, 2
REDISTRIBUTABLE = frozenset(
    {
        "LibriSpeech train-clean-100",
        "Kokoro-82M",
        "Free Spoken Digit Dataset",
        "ESC-10",
        "Sonic Pi samples",
        "Keystroke-Datasets (Zoom)",
        "rule-based source-filter synthesis",
        "image-source simulation",
    }
)
"""Sources whose clips may stand in this repository; `ATTRIBUTION.md` says whose they are."""


class Figures(msgspec.Struct, frozen=True):
    """What a model says about one item."""

    flagged_ms: float | None
    """The interruption verdict behind the server's VAD, from the item's beginning."""
    flagged_true_onset_ms: float | None
    """The same when told where the sound begins."""
    evidence: float
    """The highest probability that two frames in a row reached."""
    by_500_ms: float
    """The same by 500 ms after the onset."""


class Stored(msgspec.Struct, frozen=True):
    """The figures of one model file on all items."""

    model: str
    version: str
    threshold: float
    figures: dict[str, Figures]


def load_items(folder: Path = FOLDER) -> list[Item]:
    """The stored items."""
    facts = msgspec.json.decode((folder / ITEMS).read_bytes(), type=list[dict[str, object]])
    return [_load(folder, _facts(fields)) for fields in facts]


def load_figures(folder: Path = FOLDER) -> Stored:
    """The stored figures."""
    return msgspec.json.decode((folder / FIGURES).read_bytes(), type=Stored)


def measure(predictor: SyncPredictor, items: Sequence[Item]) -> Stored:
    """The figures that a model reaches."""
    subject, info = Subject(predictor), predictor.info
    figures = {item.facts.name: _figures(subject, item) for item in items}
    return Stored(info.name, info.version, info.default_threshold, figures)


def save_items(items: Sequence[Item], folder: Path = FOLDER) -> None:
    """Writes clips (FLAC) and what is true of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for item in items:
        for suffix, pcm in (("", item.audio), (".agent", item.reference)):
            if pcm is not None:
                path = folder / f"{item.facts.name}{suffix}.flac"
                soundfile.write(path, np.frombuffer(pcm, "<i2"), SAMPLE_RATE, subtype="PCM_16")
    facts = [asdict(item.facts) | _names(item.facts) for item in items]
    (folder / ITEMS).write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2))


def compose_items(corpus: Corpus) -> Iterator[Item]:
    """The items anew, from a corpus; only what may be passed on goes into them."""
    material = Material(corpus, sources=REDISTRIBUTABLE)
    for plan in plan_exam(material, seed=SEED, items=PER_GROUP):
        if plan.condition is Condition.MIXED:
            for _ in corpus.decode({clip.reel for clip in plan.clips}):
                pass
            yield compose(plan, corpus)


def _figures(subject: Subject, item: Item) -> Figures:
    frames = np.array(subject.frames(item))
    return Figures(
        flagged_ms=_ms(subject.flagged(item, Onset.SERVER)),
        flagged_true_onset_ms=_ms(subject.flagged(item, Onset.TRUE)),
        evidence=metrics.evidence(frames),
        by_500_ms=metrics.evidence(frames[:20]),
    )


def _ms(position: int | None) -> float | None:
    return None if position is None else position * 1000 / SAMPLE_RATE


def _load(folder: Path, facts: Facts) -> Item:
    reference = folder / f"{facts.name}.agent.flac"
    return Item(
        facts=facts,
        audio=_pcm(folder / f"{facts.name}.flac"),
        reference=_pcm(reference) if reference.exists() else None,
    )


def _pcm(path: Path) -> bytes:
    return np.asarray(soundfile.read(path, dtype="int16")[0], "<i2").tobytes()


def _names(facts: Facts) -> dict[str, str]:
    return {"group": facts.group.name, "condition": facts.condition.name}


def _facts(fields: dict[str, object]) -> Facts:
    named = fields | {
        "group": Group[str(fields["group"])],
        "condition": Condition[str(fields["condition"])],
    }
    return Facts(**named)  # type: ignore[arg-type]


@click.command()
@click.option("--compose", "anew", is_flag=True, help="Make the clips anew (needs the corpus).")
@click.option(
    "--corpus",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT.parent / "shared" / "corpus",
    show_default="../shared/corpus",
)
def main(*, anew: bool, corpus: Path) -> None:
    """Write the figures that the tests hold the shipped model to."""
    if anew:
        save_items(list(compose_items(Corpus((corpus,), ROOT / ".model" / "corpus"))))
    stored = measure(SyncPredictor.open(), load_items())
    option = orjson.OPT_INDENT_2
    (FOLDER / FIGURES).write_bytes(orjson.dumps(msgspec.to_builtins(stored), option=option))
    click.echo(f"{stored.model} {stored.version}: figures of {len(stored.figures)} items")


if __name__ == "__main__":
    main()
