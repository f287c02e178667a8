"""A network's graph that grows layer by layer, its weights left blank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from autotuner.model.weights import BLANK

CLASSES = 1000
INPUT = "data"


class Builder:
    """A graph of images into classes; each method adds a layer and returns its output's name.

    *size* is the height and width of the images. Sizes along both axes are equal, so one number
    stands for both, or a pair for height and width.
    """

    def __init__(self, size: int = 224) -> None:
        self._size = size
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._channels = {INPUT: 3}

    def channels(self, x: str) -> int:
        """Return the number of channels of *x*."""
        return self._channels[x]

    def node(self, op_type: str, inputs: Sequence[str], channels: int, **attributes: Any) -> str:
        """Add any operator whose output has this many *channels*."""
        name = f"{op_type.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op_type, inputs, [name], name=name, **attributes))
        self._channels[name] = channels
        return name

    def conv(
        self,
        x: str,
        channels: int,
        kernel: int | tuple[int, int] = 1,
        *,
        stride: int = 1,
        group: int = 1,
        padded: bool = True,
        bias: bool = False,
    ) -> str:
        """Add a convolution; *padded*, it keeps the size at stride 1."""
        height, width = _pair(kernel)
        pads = [height // 2, width // 2] * 2 if padded else [0] * 4
        inputs = [x, self.blank(channels, self.channels(x) // group, height, width)]
        if bias:
            inputs.append(self.blank(channels))
        return self.node(
            "Conv",
            inputs,
            channels,
            group=group,
            kernel_shape=[height, width],
            pads=pads,
            strides=[stride, stride],
        )

    def norm(self, x: str) -> str:
        """Add batch normalisation."""
        channels = self.channels(x)
        weights = [self.blank(channels) for _ in ("scale", "bias", "mean", "variance")]
        return self.node("BatchNormalization", [x, *weights], channels)

    def conv_norm(self, x: str, channels: int, kernel: int = 1, **settings: Any) -> str:
        """Add a convolution and its normalisation."""
        return self.norm(self.conv(x, channels, kernel, **settings))

    def relu(self, x: str) -> str:
        """Add a rectifier."""
        return self.node("Relu", [x], self.channels(x))

    def relu6(self, x: str) -> str:
        """Add a rectifier that ends at 6."""
        bounds = [self._scalar("relu6_min", 0.0), self._scalar("relu6_max", 6.0)]
        return self.node("Clip", [x, *bounds], self.channels(x))

    def add(self, x: str, y: str) -> str:
        """Add two tensors of one shape."""
        return self.node("Add", [x, y], self.channels(x))

    def concat(self, parts: Sequence[str]) -> str:
        """Join tensors along the channels."""
        return self.node("Concat", parts, sum(map(self.channels, parts)), axis=1)

    def max_pool(
        self, x: str, kernel: int = 3, stride: int = 2, pad: int = 0, *, ceil: bool = False
    ) -> str:
        """Add max pooling; *ceil* keeps a window that begins inside."""
        settings = {"ceil_mode": 1} if ceil else {}
        return self._pool("MaxPool", x, kernel, stride, pad, **settings)

    def average_pool(self, x: str, kernel: int, stride: int, pad: int = 0) -> str:
        """Add average pooling that counts the padding as zeros."""
        return self._pool("AveragePool", x, kernel, stride, pad, count_include_pad=1)

    def global_pool(self, x: str) -> str:
        """Add the average over the whole image."""
        return self.node("GlobalAveragePool", [x], self.channels(x))

    def flatten(self, x: str, features: int) -> str:
        """Flatten each sample into this many *features*."""
        return self.node("Flatten", [x], features, axis=1)

    def dense(self, x: str, features: int) -> str:
        """Add a fully connected layer."""
        weights = [self.blank(features, self.channels(x)), self.blank(features)]
        return self.node("Gemm", [x, *weights], features, transB=1)

    def classified(self, x: str) -> onnx.GraphProto:
        """Pool, classify and return the finished graph."""
        return self.finished(
            self.dense(self.flatten(self.global_pool(x), self.channels(x)), CLASSES)
        )

    def finished(self, x: str) -> onnx.GraphProto:
        """Turn the classes' scores *x* into probabilities and return the finished graph."""
        y = self.node("Softmax", [x], CLASSES, axis=-1)
        shape: list[str | int | None] = ["N", 3, self._size, self._size]
        return helper.make_graph(
            self._nodes,
            "network",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(y, TensorProto.FLOAT, ["N", CLASSES])],
            self._constants,
        )

    def blank(self, *shape: int) -> str:
        """Add a weight of *shape* whose values are to be filled in later."""
        return self.node(BLANK, [self.constant(shape)], shape[0])

    def constant(self, integers: Sequence[int]) -> str:
        """Add integers that an operator takes as an input, such as a shape."""
        name = f"integers_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(integers, np.int64), name))
        return name

    def _scalar(self, name: str, value: float) -> str:
        if all(constant.name != name for constant in self._constants):
            self._constants.append(numpy_helper.from_array(np.array(value, np.float32), name))
        return name

    def _pool(
        self, op_type: str, x: str, kernel: int, stride: int, pad: int, **settings: int
    ) -> str:
        return self.node(
            op_type,
            [x],
            self.channels(x),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[pad] * 4,
            **settings,
        )


def _pair(kernel: int | tuple[int, int]) -> tuple[int, int]:
    return (kernel, kernel) if isinstance(kernel, int) else kernel
