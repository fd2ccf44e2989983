"""Trained numbers as plain arrays and back: batch normalisation folded, gates in ONNX order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
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
    gates = {name: _reordered(plain(value)) for name, value in memory.named_parameters()}
    return Weights(
        speech=network.ear.layers(),
        heard=heard * scale[:, None],
        heard_bias=plain(network.heard.bias) + np.asarray(shift @ heard, np.float32),
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


def place(weights: Weights, network: Network, heard: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Sets a network to plain arrays, so that `collect` gives them again.

    What was folded is unfolded: a batch normalisation takes the mean and the variance of what goes
    through it while the network hears some material, without which it could not train on. The
    network's reader stays as it is, for no file holds one.

    Args:
        weights: those of a file, say.
        network: in any mode; afterwards it is in that for evaluation.
        heard: the material, as the network takes it: (batch, frames, 80), (batch, frames, 20).

    Raises:
        RuntimeError: the arrays are not of this network's shapes.
    """
    with torch.no_grad():
        for parameter, array in _places(weights, network):
            if parameter.shape != array.shape:
                message = f"a layer has the shape {array.shape}, not {tuple(parameter.shape)}"
                raise RuntimeError(message)
            parameter.copy_(torch.from_numpy(array.copy()))
        _settle(network, heard)


def _places(weights: Weights, network: Network) -> Iterator[tuple[Tensor, Floats]]:
    """Each parameter with what it becomes, normalisations apart, which begin as the identity."""
    ear = network.ear
    for kernel, bias, layer in zip(ear.kernels, ear.biases, weights.speech, strict=True):
        yield kernel, layer.kernel
        yield bias, layer.bias
    for convolution, folded in (
        (network.reference, weights.reference),
        (network.entry, weights.entry),
        (network.block, weights.block),
    ):
        _forget(convolution.norm)
        yield convolution.conv.weight, folded.kernel
        yield convolution.norm.bias, folded.bias
    _forget(network.heard_norm)
    yield network.heard.weight, weights.heard.T
    yield network.heard.bias, weights.heard_bias
    gates = dict(network.memory.named_parameters())
    bias_input, bias_recurrent = np.split(weights.gru_bias, 2)
    yield gates["weight_ih_l0"], _reordered(weights.gru_input)
    yield gates["weight_hh_l0"], _reordered(weights.gru_recurrent)
    yield gates["bias_ih_l0"], _reordered(bias_input)
    yield gates["bias_hh_l0"], _reordered(bias_recurrent)
    yield network.head.weight, weights.head.T
    yield network.head.bias, weights.head_bias


def _forget(norm: nn.BatchNorm1d) -> None:
    """Makes it the identity."""
    norm.reset_parameters()
    norm.get_buffer("running_var").fill_(1.0 - norm.eps)


def _settle(network: Network, heard: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Gives normalisations that only add a bias the statistics of what goes through them."""
    norms = [one for one in network.modules() if isinstance(one, nn.BatchNorm1d)]
    through: dict[nn.Module, list[Tensor]] = {norm: [] for norm in norms}

    def keep(norm: nn.Module, given: tuple[Tensor]) -> None:
        through[norm].append(given[0].transpose(0, 1).flatten(1))

    watches = [norm.register_forward_pre_hook(keep) for norm in norms]
    network.eval()
    for user, reference in heard:
        network(user, reference)
    for watch in watches:
        watch.remove()
    for norm in norms:
        variance, mean = torch.var_mean(torch.cat(through[norm], 1), 1)
        norm.get_buffer("running_mean").copy_(mean)
        norm.get_buffer("running_var").copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean)
    # Between this one and its layer numbers are left out in training: they should be 0 on average.
    norm, behind = network.heard_norm, network.heard
    behind.bias.add_(behind.weight @ norm.bias)
    behind.weight.mul_(norm.weight)
    norm.weight.fill_(1.0)
    norm.bias.fill_(0.0)


def _reordered(gates: Floats) -> Floats:
    """PyTorch stacks reset, update, new; ONNX update, reset, hidden. And back."""
    first, second, new = np.split(gates, 3)
    return np.concatenate([second, first, new])


def _folded(layer: CausalConv) -> ConvWeights:
    scale, bias = _normalisation(layer.norm)
    kernel = plain(layer.conv.weight) * scale[:, None, None]
    return ConvWeights(kernel, bias, layer.context)


def _normalisation(norm: nn.BatchNorm1d) -> tuple[Floats, Floats]:
    """What it multiplies by, and what it adds then."""
    with torch.no_grad():
        scale = norm.weight / (norm.get_buffer("running_var") + norm.eps).sqrt()
        return plain(scale), plain(norm.bias - norm.get_buffer("running_mean") * scale)
