"""Reads the weights back out of a file that `export` wrote, so that training can begin there."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import numpy_helper

from bargein_model.features import Floats
from bargein_model.speech_embedding import load
from bargein_model.weights import ConvWeights, Weights


class NotOursError(ValueError):
    """A file that does not hold a network like today's."""


def read(path: Path) -> Weights:
    """What the graph at `path` holds besides the feature matrices.

    Raises:
        NotOursError: it is not an ONNX file, or not one with today's layers.
        OSError: it cannot be read.
    """
    try:
        return _Graph(onnx.load(str(path)).graph).weights()
    except (DecodeError, KeyError, ValueError) as error:
        message = f"{path}: not a model file that this version's `export` writes"
        raise NotOursError(message) from error


class _Graph:
    """A graph's operators in their order, each with the constants that it works with."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        arrays = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        self._nodes = list(graph.node)
        self._constants = [
            [arrays[name] for name in node.input if name in arrays] for node in self._nodes
        ]

    def weights(self) -> Weights:
        """All of them; a `ValueError` where there are more layers, or fewer."""
        *speech, reference, entry, block = self._of("Conv")
        ((gru_input, gru_recurrent, gru_bias),) = self._of("GRU")
        (heard, heard_bias), (head, head_bias) = self._affine()
        layers = zip(load(), speech, strict=True)
        return Weights(
            speech=tuple(replace(one, kernel=kernel, bias=bias) for one, (kernel, bias) in layers),
            heard=heard,
            heard_bias=heard_bias,
            reference=_convolution(*reference),
            entry=_convolution(*entry),
            block=_convolution(*block),
            gru_input=gru_input[0],
            gru_recurrent=gru_recurrent[0],
            gru_bias=gru_bias[0],
            head=head,
            head_bias=head_bias,
        )

    def _of(self, kind: str) -> list[list[Floats]]:
        calls = zip(self._nodes, self._constants, strict=True)
        return [constants for node, constants in calls if node.op_type == kind]

    def _affine(self) -> Iterator[tuple[Floats, Floats]]:
        """Matrices whose products have a vector added next: its layers, not the features'."""
        calls = zip(self._nodes, self._constants, strict=True)
        for (node, matrices), (after, vectors) in pairwise(calls):
            if (
                node.op_type == "MatMul"
                and after.op_type == "Add"
                and vectors
                and vectors[0].size > 1
            ):
                yield matrices[0], vectors[0]


def _convolution(kernel: Floats, bias: Floats) -> ConvWeights:
    return ConvWeights(kernel, bias, kernel.shape[2] - 1)
