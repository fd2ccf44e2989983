"""A thin layer over `onnx.helper`: nodes by calling, constants and names taken care of."""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Attribute = int | float | list[int]

OPSET = 17
IR_VERSION = 9
BATCH, SAMPLES, FRAMES = "batch", "samples", "frames"


class GraphBuilder:
    """Collects nodes and constants; values are referred to by their names."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[bytes, onnx.TensorProto] = {}

    def node(self, kind: str, *inputs: str, name: str = "", **attributes: Attribute) -> str:
        """Adds an operator with one output and returns that output's name."""
        output = name or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(_node(kind, inputs, [output], attributes))
        return output

    def nodes(self, kind: str, *inputs: str, outputs: int, **attributes: Attribute) -> list[str]:
        """Adds an operator with several outputs."""
        names = [f"{kind.lower()}_{len(self._nodes)}_{index}" for index in range(outputs)]
        self._nodes.append(_node(kind, inputs, names, attributes))
        return names

    def constant(self, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """A constant tensor; equal ones are stored once."""
        key = str((value.dtype, value.shape)).encode() + value.tobytes()
        if key not in self._constants:
            name = f"constant_{len(self._constants)}"
            self._constants[key] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return self._constants[key].name

    def number(self, value: float) -> str:
        """A float scalar."""
        return self.constant(np.array(value, np.float32))

    def integers(self, *values: int) -> str:
        """A vector of integers, as shapes and axes are given."""
        return self.constant(np.array(values, np.int64))

    def slice(self, value: str, start: int, end: int, axis: int, step: int = 1) -> str:
        """Python's `value[start:end:step]` along one axis."""
        bounds = [self.integers(number) for number in (start, end, axis, step)]
        return self.node("Slice", value, *bounds)

    def reshape(self, value: str, *shape: int) -> str:
        """A reshape; 0 keeps an axis, -1 is computed."""
        return self.node("Reshape", value, self.integers(*shape))

    def model(
        self,
        inputs: Sequence[tuple[str, list[str | int]]],
        outputs: Sequence[tuple[str, list[str | int]]],
        metadata: dict[str, str],
    ) -> onnx.ModelProto:
        """The finished, checked model; all inputs and outputs are float32."""

        def describe(items: Sequence[tuple[str, list[str | int]]]) -> list[onnx.ValueInfoProto]:
            return [
                helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in items
            ]

        graph = helper.make_graph(
            self._nodes,
            "bargein",
            describe(inputs),
            describe(outputs),
            list(self._constants.values()),
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model, full_check=True)
        return model


def _node(
    kind: str, inputs: Sequence[str], outputs: Sequence[str], attributes: dict[str, Attribute]
) -> onnx.NodeProto:
    node = helper.make_node(kind, inputs, outputs)
    node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
    return node
