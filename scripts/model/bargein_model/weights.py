"""Trained numbers as plain arrays: batch normalisation folded, gates in ONNX order."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from bargein_model.contract import SoundClass
from bargein_model.network import CausalConv, Network
from bargein_model.speech_embedding import SpeechLayer, plain

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ConvWeights:
    """A convolution `(out, in, kernel)` with its bias, and how many past frames it looks at."""

    kernel: Floats
    bias: Floats
    context: int


@dataclass(frozen=True)
class Weights:
    """All that the ONNX graph holds besides the feature matrices."""

    speech: tuple[SpeechLayer, ...]
    heard: Floats
    heard_bias: Floats
    reference: ConvWeights
    entry: ConvWeights
    block: ConvWeights
    gru_input: Floats
    gru_recurrent: Floats
    gru_bias: Floats
    head: Floats
    head_bias: Floats


def collect(network: Network) -> Weights:
    """Reads a trained network (in any mode) into plain arrays."""
    memory = network.memory
    scale, shift = _normalisation(network.heard_norm)
    heard = plain(network.heard.weight).T
    gates = {name: _reordered(value) for name, value in memory.named_parameters()}
    return Weights(
        speech=network.ear.layers(),
        heard=heard * scale[:, None],
        heard_bias=plain(network.heard.bias) + shift @ heard,
        reference=_folded(network.reference),
        entry=_folded(network.entry),
        block=_folded(network.block),
        gru_input=gates["weight_ih_l0"],
        gru_recurrent=gates["weight_hh_l0"],
        gru_bias=np.concatenate([gates["bias_ih_l0"], gates["bias_hh_l0"]]),
        head=plain(network.head.weight).T.copy(),
        head_bias=plain(network.head.bias),
    )


def calibrated(weights: Weights, shift: float) -> Weights:
    """The same, but for `shift` on the log odds of an interruption."""
    moved = weights.head_bias.copy()
    moved[SoundClass.INTERRUPTION] += np.float32(shift)
    return replace(weights, head_bias=moved)


def _reordered(gates: Tensor) -> Floats:
    """PyTorch stacks reset, update, new; ONNX update, reset, hidden."""
    reset, update, new = np.split(plain(gates), 3)
    return np.concatenate([update, reset, new])


def _folded(layer: CausalConv) -> ConvWeights:
    scale, bias = _normalisation(layer.norm)
    kernel = plain(layer.conv.weight) * scale[:, None, None]
    return ConvWeights(kernel, bias, layer.context)


def _normalisation(norm: nn.BatchNorm1d) -> tuple[Floats, Floats]:
    """What it multiplies by, and what it adds then."""
    scale = plain(norm.weight) / np.sqrt(_statistic(norm, "running_var") + norm.eps)
    return scale, plain(norm.bias) - _statistic(norm, "running_mean") * scale


def _statistic(norm: nn.BatchNorm1d, name: str) -> Floats:
    return plain(norm.get_buffer(name))
