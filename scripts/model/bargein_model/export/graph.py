"""The streaming graph: features, convolutions and memory, with all that is carried in `state`."""

import math
from dataclasses import dataclass, field

import numpy as np
import onnx

from bargein_model.contract import CLASS_NAMES, CONTRACT, FRAME_SAMPLES, SAMPLE_RATE
from bargein_model.export.builder import BATCH, FRAMES, SAMPLES, GraphBuilder
from bargein_model.features import BASIS, HOP, POWER_FLOOR, Floats
from bargein_model.network import FEATURE_MEAN, FEATURE_SCALE
from bargein_model.weights import ConvWeights, Weights


@dataclass
class Carried:
    """The parts of `state`: what each was when the call began, and what it is when it ends."""

    sizes: list[int]
    before: list[str]
    after: list[str] = field(default_factory=list[str])

    def take(self) -> tuple[str, int]:
        """The next part, in the order in which `store` will be called: its name and its size."""
        index = len(self.after)
        return self.before[index], self.sizes[index]

    def store(self, part: str) -> None:
        """Sets the part last taken; `part` is flat: (batch, size)."""
        self.after.append(part)


def state_sizes(weights: Weights) -> list[int]:
    """Numbers carried per stream: half a window, each convolution's past frames, the memory."""
    layers = (weights.reference, weights.entry, *weights.blocks)
    past = [layer.kernel.shape[1] * layer.context for layer in layers]
    return [HOP, *past, weights.gru_recurrent.shape[1]]


def build(weights: Weights, name: str, version: str, default_threshold: float) -> onnx.ModelProto:
    """The model file's content, metadata included."""
    graph = GraphBuilder()
    sizes = state_sizes(weights)
    split = graph.integers(*sizes)
    carried = Carried(sizes, graph.nodes("Split", "state", split, outputs=len(sizes), axis=1))
    user = _user_features(graph, carried)
    played = _convolution(graph, carried, _reference_features(graph), weights.reference)
    heard = graph.node("Concat", user, played, axis=1)
    hidden = _convolution(graph, carried, heard, weights.entry)
    for block in weights.blocks:
        hidden = graph.node("Add", hidden, _convolution(graph, carried, hidden, block))
    _classify(graph, _remember(graph, carried, hidden, weights), weights)
    graph.node("Concat", *carried.after, name="next_state", axis=1)
    size = sum(sizes)
    return graph.model(
        [("audio", [BATCH, SAMPLES]), ("reference", [BATCH, SAMPLES]), ("state", [BATCH, size])],
        [("probabilities", [BATCH, FRAMES, len(CLASS_NAMES)]), ("next_state", [BATCH, size])],
        _metadata(name, version, default_threshold),
    )


def _metadata(name: str, version: str, default_threshold: float) -> dict[str, str]:
    return {
        "bargein.contract": CONTRACT,
        "bargein.name": name,
        "bargein.version": version,
        "bargein.default_threshold": f"{default_threshold:.4g}",
        "bargein.classes": ",".join(CLASS_NAMES),
        "bargein.sample_rate": str(SAMPLE_RATE),
        "bargein.frame_samples": str(FRAME_SAMPLES),
    }


def _user_features(graph: GraphBuilder, carried: Carried) -> str:
    """(batch, 80, frames) from `audio` and the half window that came before it."""
    blocks = graph.reshape("audio", 0, -1, HOP)
    previous, _ = carried.take()
    chain = graph.node("Concat", graph.reshape(previous, 0, 1, HOP), blocks, axis=1)
    earlier = graph.slice(chain, 0, -1, axis=1)
    carried.store(graph.reshape(graph.slice(chain, -1, 1 << 30, axis=1), 0, HOP))
    mirrored = graph.slice(earlier, HOP - 1, -HOP - 1, axis=2, step=-1)
    mel = _log_mel(graph, mirrored, blocks, BASIS.user_mel)
    frames = graph.reshape(mel, 0, -1, 2 * BASIS.user_mel.shape[1])
    return graph.node("Transpose", frames, perm=[0, 2, 1])


def _reference_features(graph: GraphBuilder) -> str:
    """(batch, 20, frames) from `reference`; frames do not overlap."""
    windows = graph.reshape("reference", 0, -1, 2 * HOP)
    mirrored = graph.slice(windows, HOP - 1, -2 * HOP - 1, axis=2, step=-1)
    later = graph.slice(windows, HOP, 2 * HOP, axis=2)
    mel = _log_mel(graph, mirrored, later, BASIS.reference_mel)
    return graph.node("Transpose", mel, perm=[0, 2, 1])


def _log_mel(graph: GraphBuilder, mirrored: str, later: str, filters: Floats) -> str:
    even = graph.node("Add", later, mirrored)
    odd = graph.node("Sub", later, mirrored)
    real = graph.node("MatMul", even, graph.constant(BASIS.cosine))
    imaginary = graph.node("MatMul", odd, graph.constant(BASIS.sine))
    squares = [graph.node("Mul", part, part) for part in (real, imaginary)]
    mel = graph.node("MatMul", graph.node("Add", *squares), graph.constant(filters))
    logarithm = graph.node("Log", graph.node("Add", mel, graph.number(POWER_FLOOR)))
    scaled = graph.node("Mul", logarithm, graph.number(FEATURE_SCALE / math.log(10.0)))
    return graph.node("Add", scaled, graph.number(-FEATURE_MEAN * FEATURE_SCALE))


def _convolution(graph: GraphBuilder, carried: Carried, frames: str, layer: ConvWeights) -> str:
    """(batch, in, frames) to (batch, out, frames), rectified."""
    past, _ = carried.take()
    channels = layer.kernel.shape[1]
    chain = graph.node("Concat", graph.reshape(past, 0, channels, layer.context), frames, axis=2)
    kept = graph.slice(chain, -layer.context, 1 << 30, axis=2)
    carried.store(graph.reshape(kept, 0, channels * layer.context))
    kernel, bias = graph.constant(layer.kernel), graph.constant(layer.bias)
    convolved = graph.node("Conv", chain, kernel, bias, dilations=[layer.dilation])
    return graph.node("Relu", convolved)


def _remember(graph: GraphBuilder, carried: Carried, hidden: str, weights: Weights) -> str:
    """(batch, width, frames) to the memory's (frames, 1, batch, memory)."""
    past, size = carried.take()
    steps = graph.node("Transpose", hidden, perm=[2, 0, 1])
    arrays = (weights.gru_input, weights.gru_recurrent, weights.gru_bias)
    constants = [graph.constant(array[np.newaxis]) for array in arrays]
    outputs = graph.nodes(
        "GRU",
        steps,
        *constants,
        "",
        graph.reshape(past, 1, -1, size),
        outputs=2,
        hidden_size=size,
        linear_before_reset=1,
    )
    carried.store(graph.reshape(outputs[1], -1, size))
    return outputs[0]


def _classify(graph: GraphBuilder, memory: str, weights: Weights) -> None:
    steps = graph.node("Squeeze", memory, graph.integers(1))
    scores = graph.node("MatMul", steps, graph.constant(weights.head))
    logits = graph.node("Add", scores, graph.constant(weights.head_bias))
    shares = graph.node("Softmax", logits, axis=2)
    graph.node("Transpose", shares, name="probabilities", perm=[1, 0, 2])
