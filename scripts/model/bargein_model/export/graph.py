"""The streaming graph: features, convolutions and memory, with all that is carried in `state`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import onnx

from bargein_model.contract import CLASS_NAMES, CONTRACT, FRAME_SAMPLES, SAMPLE_RATE
from bargein_model.export.builder import BATCH, FRAMES, SAMPLES, GraphBuilder
from bargein_model.features import (
    BASIS,
    HOP,
    POWER_FLOOR,
    SPEECH_BANDS,
    SPEECH_LEVEL,
    USER_BANDS,
    Floats,
    speech_reading,
)
from bargein_model.network import FEATURE_MEAN, FEATURE_SCALE
from bargein_model.speech_embedding import LOWEST, SLOPE, TAPPED, SpeechLayer
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
    """Numbers carried per stream: half a window, what layers hear of the past, the memory."""
    convolutions = (weights.reference, weights.entry, weights.block)
    past = [layer.kernel.shape[1] * layer.context for layer in convolutions]
    memory = weights.gru_recurrent.shape[1]
    return [HOP, *_speech_sizes(weights.speech), *past, memory]


def _speech_sizes(layers: tuple[SpeechLayer, ...]) -> Iterator[int]:
    bands = SPEECH_BANDS
    for layer in layers:
        channels_out, channels_in, *_ = layer.kernel.shape
        if layer.context:
            yield channels_in * layer.context * bands
        if layer.looks_back:
            yield channels_out * layer.looks_back * bands
        bands //= layer.pool_bands


def build(weights: Weights, name: str, version: str, default_threshold: float) -> onnx.ModelProto:
    """The model file's content, metadata included."""
    graph = GraphBuilder()
    sizes = state_sizes(weights)
    split = graph.integers(*sizes)
    carried = Carried(sizes, graph.nodes("Split", "state", split, outputs=len(sizes), axis=1))
    user = _user_features(graph, carried)
    spoken = _spoken(graph, carried, user, weights)
    played = _convolution(graph, carried, _reference_features(graph), weights.reference)
    frames = graph.reshape(user, 0, -1, 2 * USER_BANDS)
    frames = graph.node("Transpose", frames, perm=[0, 2, 1])
    heard = graph.node("Concat", frames, played, axis=1)
    sound = _convolution(graph, carried, heard, weights.entry)
    sound = graph.node("Add", sound, _convolution(graph, carried, sound, weights.block))
    sound = graph.node("Transpose", sound, perm=[0, 2, 1])
    hidden = graph.node("Concat", sound, spoken, axis=2)
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
    """(batch, 2 × frames, 40): normalised, from `audio` and the half window before it."""
    blocks = graph.reshape("audio", 0, -1, HOP)
    previous, _ = carried.take()
    chain = graph.node("Concat", graph.reshape(previous, 0, 1, HOP), blocks, axis=1)
    earlier = graph.slice(chain, 0, -1, axis=1)
    carried.store(graph.reshape(graph.slice(chain, -1, 1 << 30, axis=1), 0, HOP))
    mirrored = graph.slice(earlier, HOP - 1, -HOP - 1, axis=2, step=-1)
    return _log_mel(graph, _power(graph, mirrored, blocks), BASIS.user_mel)


def _reference_features(graph: GraphBuilder) -> str:
    """(batch, 20, frames) from `reference`; frames do not overlap."""
    windows = graph.reshape("reference", 0, -1, 2 * HOP)
    mirrored = graph.slice(windows, HOP - 1, -2 * HOP - 1, axis=2, step=-1)
    later = graph.slice(windows, HOP, 2 * HOP, axis=2)
    mel = _log_mel(graph, _power(graph, mirrored, later), BASIS.reference_mel)
    return graph.node("Transpose", mel, perm=[0, 2, 1])


def _power(graph: GraphBuilder, mirrored: str, later: str) -> str:
    even = graph.node("Add", later, mirrored)
    odd = graph.node("Sub", later, mirrored)
    real = graph.node("MatMul", even, graph.constant(BASIS.cosine))
    imaginary = graph.node("MatMul", odd, graph.constant(BASIS.sine))
    return graph.node("Add", *(graph.node("Mul", part, part) for part in (real, imaginary)))


def _log_mel(graph: GraphBuilder, spectra: str, filters: Floats) -> str:
    """Log10 of the mel power, normalised."""
    mel = graph.node("MatMul", spectra, graph.constant(filters))
    logarithm = graph.node("Log", graph.node("Add", mel, graph.number(POWER_FLOOR)))
    scaled = graph.node("Mul", logarithm, graph.number(FEATURE_SCALE / math.log(10.0)))
    return graph.node("Add", scaled, graph.number(-FEATURE_MEAN * FEATURE_SCALE))


def _spoken(graph: GraphBuilder, carried: Carried, user: str, weights: Weights) -> str:
    """(batch, frames, 96): what matters of the speech embedding and of its tapped layer."""
    reading = graph.constant(speech_reading() / np.float32(FEATURE_SCALE))
    read = graph.node("MatMul", user, reading)
    read = graph.node("Add", read, graph.number(FEATURE_MEAN + SPEECH_LEVEL))
    hidden, bands = graph.node("Unsqueeze", read, graph.integers(1)), SPEECH_BANDS
    heard: list[str] = []
    for index, layer in enumerate(weights.speech):
        hidden = _speech_layer(graph, carried, hidden, layer, bands)
        bands //= layer.pool_bands
        if index in {TAPPED, len(weights.speech) - 1}:
            frames = graph.node("Transpose", hidden, perm=[0, 2, 1, 3])
            heard.insert(0, graph.reshape(frames, 0, 0, -1))
    together = graph.node("Concat", *heard, axis=2)
    kept = graph.node("MatMul", together, graph.constant(weights.heard))
    return graph.node("Relu", graph.node("Add", kept, graph.constant(weights.heard_bias)))


def _speech_layer(
    graph: GraphBuilder, carried: Carried, hidden: str, layer: SpeechLayer, bands: int
) -> str:
    """(batch, in, time, bands) to (batch, out, time, bands), pooled as the layer says."""
    channels_out, channels_in, _, width = layer.kernel.shape
    hidden = _with_past(graph, carried, hidden, (channels_in, layer.context, bands))
    beside = [0, width // 2, 0, width // 2]
    weights = graph.constant(layer.kernel), graph.constant(layer.bias)
    hidden = graph.node("Conv", hidden, *weights, pads=beside, dilations=[layer.dilation, 1])
    if layer.pool_bands > 1:  # before it is rectified: the same numbers, and fewer to rectify
        hidden = _with_past(graph, carried, hidden, (channels_out, layer.looks_back, bands))
        hidden = graph.node(
            "MaxPool",
            hidden,
            kernel_shape=[2 if layer.halves or layer.looks_back else 1, layer.pool_bands],
            strides=[2 if layer.halves else 1, layer.pool_bands],
            dilations=[layer.looks_back or 1, 1],
        )
    if not layer.rectified:
        return hidden
    hidden = graph.node("LeakyRelu", hidden, alpha=SLOPE)
    return graph.node("Clip", hidden, graph.number(LOWEST))


def _with_past(
    graph: GraphBuilder, carried: Carried, frames: str, past: tuple[int, int, int]
) -> str:
    """(batch, channels, time, bands) with so many steps of the past before it."""
    channels, steps, bands = past
    if not steps:
        return frames
    before, size = carried.take()
    chain = graph.node("Concat", graph.reshape(before, 0, channels, steps, bands), frames, axis=2)
    kept = graph.slice(chain, -steps, 1 << 30, axis=2)
    carried.store(graph.reshape(kept, 0, size))
    return chain


def _convolution(graph: GraphBuilder, carried: Carried, frames: str, layer: ConvWeights) -> str:
    """(batch, in, frames) to (batch, out, frames), rectified."""
    past, size = carried.take()
    channels = layer.kernel.shape[1]
    chain = graph.node("Concat", graph.reshape(past, 0, channels, layer.context), frames, axis=2)
    kept = graph.slice(chain, -layer.context, 1 << 30, axis=2)
    carried.store(graph.reshape(kept, 0, size))
    convolved = graph.node("Conv", chain, graph.constant(layer.kernel), graph.constant(layer.bias))
    return graph.node("Relu", convolved)


def _remember(graph: GraphBuilder, carried: Carried, hidden: str, weights: Weights) -> str:
    """(batch, frames, width) to the memory's (frames, 1, batch, memory)."""
    past, size = carried.take()
    steps = graph.node("Transpose", hidden, perm=[1, 0, 2])
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
