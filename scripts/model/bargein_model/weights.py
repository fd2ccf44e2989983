"""Trained numbers as plain arrays: batch normalisation folded, gates in ONNX order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from bargein_model.network import CausalConv, Network

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ConvWeights:
    """A convolution `(out, in, kernel)` with its bias, and how many past frames it looks at."""

    kernel: Floats
    bias: Floats
    dilation: int
    context: int


@dataclass(frozen=True)
class Weights:
    """All that the ONNX graph holds besides the feature matrices."""

    reference: ConvWeights
    entry: ConvWeights
    blocks: tuple[ConvWeights, ...]
    gru_input: Floats
    gru_recurrent: Floats
    gru_bias: Floats
    head: Floats
    head_bias: Floats


def collect(network: Network) -> Weights:
    """Reads a trained network (in any mode) into plain arrays."""
    memory = network.memory
    gates = {name: _reordered(value) for name, value in memory.named_parameters()}
    return Weights(
        reference=_folded(network.reference),
        entry=_folded(network.entry),
        blocks=tuple(_folded(block) for block in network.convolutions()),
        gru_input=gates["weight_ih_l0"],
        gru_recurrent=gates["weight_hh_l0"],
        gru_bias=np.concatenate([gates["bias_ih_l0"], gates["bias_hh_l0"]]),
        head=_array(network.head.weight).T.copy(),
        head_bias=_array(network.head.bias),
    )


def _array(tensor: Tensor) -> Floats:
    array: Floats = tensor.detach().cpu().numpy().astype(np.float32)
    return array


def _reordered(gates: Tensor) -> Floats:
    """PyTorch stacks reset, update, new; ONNX update, reset, hidden."""
    reset, update, new = np.split(_array(gates), 3)
    return np.concatenate([update, reset, new])


def _folded(layer: CausalConv) -> ConvWeights:
    conv, norm = layer.conv, layer.norm
    scale = _array(norm.weight) / np.sqrt(_statistic(norm, "running_var") + norm.eps)
    bias = _array(norm.bias) - _statistic(norm, "running_mean") * scale
    kernel = _array(conv.weight) * scale[:, None, None]
    return ConvWeights(kernel, bias, conv.dilation[0], layer.context)


def _statistic(norm: nn.BatchNorm1d, name: str) -> Floats:
    return _array(norm.get_buffer(name))
