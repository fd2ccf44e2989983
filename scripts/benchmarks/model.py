"""What the model costs: steps of one hop and of two, a batch of them, a whole window."""

import time
from collections.abc import Callable

import numpy as np
from bargein_protocol.options import Options
from bargein_server.models.batch import Span, hear
from bargein_server.models.contract import SHIPPED_MODEL, Model
from bargein_server.models.onnx import OnnxModel
from bargein_server.models.predictor import SyncPredictor

from benchmarks.figures import COLUMNS, Distribution, Section, Setup, Tell

HOP_MS, WINDOW_MS, BATCH = round(Options().hop_ms), 3000, 16
TIMES = 200
WARM_UP = 10


async def measure(setup: Setup, tell: Tell) -> Section:  # noqa: ARG001 – they are all called alike
    """Run the shipped model as the server does, on one thread."""
    model = OnnxModel.open(SHIPPED_MODEL, threads=1)
    cases = {
        f"a step of {HOP_MS} ms": (_steps(model, HOP_MS), 1),
        f"a step of {HOP_MS} ms, {BATCH} at once": (_batch(model, HOP_MS), BATCH),
        f"a step of {2 * HOP_MS} ms": (_steps(model, 2 * HOP_MS), 1),
        f"a window of {WINDOW_MS} ms": (_windows(model), 1),
    }
    costs: dict[str, Distribution] = {}
    for number, (name, (run, share)) in enumerate(cases.items()):
        tell(number / len(cases), name)
        costs[name] = _time(run, share)
    info = model.info
    return Section(
        title=f"The model {info.name} {info.version}: processor time in ms, each",
        columns=("", *COLUMNS),
        rows=tuple((name, *cost.cells()) for name, cost in costs.items()),
        figures=dict(costs),
    )


def _time(run: Callable[[], object], share: int) -> Distribution:
    for _ in range(WARM_UP):
        run()
    costs: list[float] = []
    for _ in range(TIMES):
        began = time.process_time_ns()
        run()
        costs.append((time.process_time_ns() - began) / 1e6 / share)
    return Distribution.of(costs)


def _steps(model: Model, step_ms: int) -> Callable[[], object]:
    stream = SyncPredictor(model).stream()
    audio = _sound(step_ms)
    return lambda: stream.predict(audio)


def _windows(model: Model) -> Callable[[], object]:
    predictor = SyncPredictor(model)
    audio = _sound(WINDOW_MS)
    return lambda: predictor.stream().predict(audio)


def _batch(model: Model, step_ms: int) -> Callable[[], object]:
    spans = [Span(_sound(step_ms), None, None) for _ in range(BATCH)]
    return lambda: hear(model, spans)


def _sound(duration_ms: int) -> bytes:
    noise = np.random.default_rng(1).normal(0, 1000, 16 * duration_ms)
    return noise.astype("<i2").tobytes()
