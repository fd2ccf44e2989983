"""`scripts/bench` measures a real server, small here."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from benchmarks.capacity import DELAY_LIMIT_MS, Step
from benchmarks.figures import Distribution
from benchmarks.speech import CYCLE_MS, FRAME_MS, compose, load_utterances

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "scripts/samples"


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    arguments = [
        "--only",
        "delay",
        "--only",
        "model",
        "--sessions",
        "4",
        "--seconds",
        "6",
        "--json",
    ]
    result = subprocess.run(
        ["scripts/bench", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    figures: dict[str, Any] = json.loads(result.stdout)
    return figures


def test_every_overlap_of_a_real_server_has_its_verdict(measured: dict[str, Any]) -> None:
    counts = measured["delay"]["counts"]
    assert counts["overlap.started"] > 0
    assert counts["interruption"] + counts["non_interruption"] > 0
    assert (counts["without a verdict"], counts["connections lost"], counts["error"]) == (0, 0, 0)


def test_delays_were_measured_on_both_sides(measured: dict[str, Any]) -> None:
    delay = measured["delay"]
    assert delay["arrived_ms"]["overlap.started"]["p50"] > 0
    assert delay["written_ms_at_most"]["p99"] > 0


def test_model_was_measured(measured: dict[str, Any]) -> None:
    assert all(cost["p50"] > 0 for cost in measured["model"].values())


def test_machine_is_named(measured: dict[str, Any]) -> None:
    assert measured["machine"]["cores"] >= 1


def test_script_is_one_turn_of_the_agent_per_utterance() -> None:
    utterances = load_utterances(SAMPLES)
    script = compose(utterances)
    assert len(script.frames) == len(utterances) * CYCLE_MS // FRAME_MS
    assert len(script.starts) == len(script.stops) == len(utterances)
    turns = zip(sorted(script.starts), sorted(script.stops), strict=True)
    assert all(start < stop for start, stop in turns)


def test_distribution_of_known_values() -> None:
    assert Distribution.of([float(n) for n in range(101)]) == Distribution(101, 50, 90, 99, 100)
    assert Distribution.of([]) == Distribution(0, 0, 0, 0, 0)


def test_a_server_that_says_nothing_does_not_keep_up() -> None:
    def step(*delays_ms: float) -> Step:
        late = Distribution.of([0.0])
        return Step(1, delay_ms=Distribution.of(delays_ms), client_late_ms=late, cpu_ms=1.0)

    assert step(1.0, DELAY_LIMIT_MS).holds
    assert not step(1.0, DELAY_LIMIT_MS + 1).holds
    assert not step().holds
