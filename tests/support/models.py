"""Tiny ONNX models made on the spot, and one whose every run waits for the test."""

import asyncio
import queue
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from bargein_server.models.contract import FRAME_SAMPLES, METADATA, Floats, Model, ModelInfo
from onnx import TensorProto, helper, numpy_helper

INFO = {"bargein.name": "tiny", "bargein.version": "1.2", "bargein.default_threshold": "0.4"}


def write_model(
    path: Path,
    *,
    names: Mapping[str, str] | None = None,
    axes: Mapping[str, list[str | int]] | None = None,
    metadata: Mapping[str, str | None] | None = None,
    classes: int = 5,
    ending: str = "Softmax",
    samples_per_frame: int = FRAME_SAMPLES,
) -> Path:
    """A model of the contract's shape that adds up loudness: user less half of the agent.

    Args:
        path: where to write it.
        names: other names for inputs and outputs.
        axes: other declared shapes, by input or output.
        metadata: entries that differ; None leaves an entry out.
        classes: values per row.
        ending: the operator that makes logits into probabilities.
        samples_per_frame: how many samples become one row.
    """
    called = dict.fromkeys(("audio", "reference", "state", "probabilities", "next_state"), "")
    called = {name: (names or {}).get(name, name) for name in called}
    shapes: dict[str, list[str | int]] = {
        "audio": ["batch", "samples"],
        "reference": ["batch", "samples"],
        "state": ["batch", 1],
        "probabilities": ["batch", "frames", classes],
        "next_state": ["batch", 1],
        **(axes or {}),
    }
    constants: dict[str, np.ndarray[Any, Any]] = {
        "blocks": np.array([0, -1, samples_per_frame], np.int64),
        "half": np.array(0.5, np.float32),
        "time": np.array(1, np.int64),
        "last_axis": np.array([2], np.int64),
        "last": np.array([-1], np.int64),
        "end": np.array([np.iinfo(np.int64).max], np.int64),
        "axis": np.array([1], np.int64),
        "weights": np.array([4, -2, 1, 0.5, -1], np.float32)[:classes],
    }
    node = helper.make_node
    nodes = [
        node("Reshape", [called["audio"], "blocks"], ["a"]),
        node("Abs", ["a"], ["b"]),
        node("ReduceMean", ["b", "last_axis"], ["heard"], keepdims=0),
        node("Reshape", [called["reference"], "blocks"], ["c"]),
        node("Abs", ["c"], ["d"]),
        node("ReduceMean", ["d", "last_axis"], ["e"], keepdims=0),
        node("Mul", ["e", "half"], ["played"]),
        node("Sub", ["heard", "played"], ["loudness"]),
        node("CumSum", ["loudness", "time"], ["new"]),
        node("Add", ["new", called["state"]], ["sum"]),
        node("Unsqueeze", ["sum", "last_axis"], ["column"]),
        node("Mul", ["column", "weights"], ["logits"]),
        node(ending, ["logits"], [called["probabilities"]]),
        node("Slice", ["sum", "last", "end", "axis"], [called["next_state"]]),
    ]

    def value(name: str) -> Any:
        return helper.make_tensor_value_info(called[name], TensorProto.FLOAT, shapes[name])

    graph = helper.make_graph(
        nodes,
        "tiny",
        [value(name) for name in ("audio", "reference", "state")],
        [value(name) for name in ("probabilities", "next_state")],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    entries = METADATA | INFO | dict(metadata or {})
    helper.set_model_props(model, {name: text for name, text in entries.items() if text})
    onnx.save(model, str(path))
    return path


class GatedModel:
    """A model on another thread whose runs the test watches begin and lets go, one by one."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._loop = asyncio.get_running_loop()
        self._begun: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        self._permits: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._free = False

    @property
    def info(self) -> ModelInfo:
        return self._model.info

    async def begun(self) -> tuple[int, int]:
        """Streams and frames of the next run, once it has begun."""
        streams, samples = await self._begun.get()
        return streams, samples // FRAME_SAMPLES

    def let_go(self, failure: Exception | None = None) -> None:
        """End the run that waits, or the next one: with an answer, or by raising."""
        self._permits.put(failure)

    def let_all_go(self) -> None:
        """No run waits any more."""
        self._free = True
        self._permits.put(None)

    def run(self, audio: Floats, reference: Floats, state: Floats) -> tuple[Floats, Floats]:
        self._loop.call_soon_threadsafe(self._begun.put_nowait, audio.shape)
        failure = None if self._free else self._permits.get()
        if failure:
            raise failure
        return self._model.run(audio, reference, state)
