"""The golden traces: each tells one guarantee of the design as a story."""

from pathlib import Path

import pytest
from support.traces import run

TRACES = sorted((Path(__file__).parents[1] / "traces").glob("*.trace"))


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_trace(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert run(text) == text


def test_there_is_a_trace_for_each_guarantee_that_a_story_can_show() -> None:
    told = {path.stem.split("-")[0] for path in TRACES}
    assert {str(number) for number in range(1, 11)} <= told
