"""The shipped model reaches its stored figures on a small stored exam.

After new weights `./scripts/model/fixtures` writes the figures anew; look at what changed.
"""

import pytest
from bargein_model.evaluation.fixtures import (
    FOLDER,
    Figures,
    Stored,
    load_figures,
    load_items,
    measure,
)
from bargein_model.evaluation.items import Group, Item
from bargein_server.models.predictor import SyncPredictor

ITEMS = load_items()
STORED = load_figures()
PROBABILITY_TOLERANCE = 0.02
"""Different processors round differently; a recurrent model lets that grow a little."""
LIMIT_BYTES = 1_500_000


@pytest.fixture(scope="module")
def measured() -> Stored:
    return measure(SyncPredictor.open(), ITEMS)


def test_the_figures_belong_to_the_shipped_model(measured: Stored) -> None:
    assert (STORED.model, STORED.version) == (measured.model, measured.version)
    assert STORED.threshold == measured.threshold


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.facts.name)
def test_every_figure_is_reached(item: Item, measured: Stored) -> None:
    now, then = measured.figures[item.facts.name], STORED.figures[item.facts.name]
    assert now.evidence == pytest.approx(then.evidence, abs=PROBABILITY_TOLERANCE)
    assert now.by_500_ms == pytest.approx(then.by_500_ms, abs=PROBABILITY_TOLERANCE)
    if abs(then.evidence - STORED.threshold) > PROBABILITY_TOLERANCE:
        assert (now.flagged_ms is None) == (then.flagged_ms is None)
        assert _is_near(now, then)


def _is_near(now: Figures, then: Figures) -> bool:
    """Verdicts come within two hops of 50 ms of each other."""
    if now.flagged_ms is None or then.flagged_ms is None:
        return True
    return abs(now.flagged_ms - then.flagged_ms) <= 100


def test_the_stored_exam_holds_every_group_but_babble() -> None:
    assert {item.facts.group for item in ITEMS} == set(Group) - {Group.BABBLE}


def test_the_stored_exam_is_small_and_says_whose_it_is() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= LIMIT_BYTES
    attribution = (FOLDER / "ATTRIBUTION.md").read_text(encoding="utf-8")
    for item in ITEMS:
        named = item.facts.source.removesuffix(" (Zoom)").removeprefix("rule-based ")
        assert named in attribution or "synthesis" in named
