"""The structures of MobileNet v1 and v2 at width 1.0 and 224 x 224, weights left blank.

Howard et al., "MobileNets" (2017), table 1; Sandler et al., "MobileNetV2" (2018), table 2. Batch
normalisation is folded into the convolutions, as in a deployed network.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from autotuner.model.weights import BLANK

_CLASSES = 1000

# (output channels, stride) of each depthwise separable block.
_V1_BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)
# (expansion, output channels, repeats, stride of the first) of each group of bottlenecks.
_V2_GROUPS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def v1() -> onnx.GraphProto:
    """Return the structure of MobileNet v1."""
    layers = _Layers()
    x, channels = layers.conv("data", 3, 32, kernel=3, stride=2), 32
    for out_channels, stride in _V1_BLOCKS:
        x = layers.conv(x, channels, channels, kernel=3, stride=stride, depthwise=True)
        x = layers.conv(x, channels, out_channels)
        channels = out_channels
    return layers.classified(x, channels)


def v2() -> onnx.GraphProto:
    """Return the structure of MobileNet v2."""
    layers = _Layers()
    x, channels = layers.conv("data", 3, 32, kernel=3, stride=2), 32
    for expansion, out_channels, repeats, first_stride in _V2_GROUPS:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            shortcut, inner = x, channels * expansion
            if expansion > 1:
                x = layers.conv(x, channels, inner)
            x = layers.conv(x, inner, inner, kernel=3, stride=stride, depthwise=True)
            x = layers.conv(x, inner, out_channels, activate=False)
            if repeat > 0:
                x = layers.node("Add", [shortcut, x])
            channels = out_channels
    return layers.classified(layers.conv(x, channels, 1280), 1280)


class _Layers:
    """A graph that grows layer by layer; each method returns the name of its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants = [
            numpy_helper.from_array(np.array(0, np.float32), "relu6_min"),
            numpy_helper.from_array(np.array(6, np.float32), "relu6_max"),
        ]

    def node(self, op_type: str, inputs: list[str], **attributes: Any) -> str:
        name = f"{op_type.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op_type, inputs, [name], name=name, **attributes))
        return name

    def conv(
        self,
        x: str,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        depthwise: bool = False,
        activate: bool = True,
    ) -> str:
        """Add a convolution that keeps the size at stride 1, and ReLU6 when *activate*."""
        group = in_channels if depthwise else 1
        weight = self._blank(out_channels, in_channels // group, kernel, kernel)
        x = self.node(
            "Conv",
            [x, weight, self._blank(out_channels)],
            group=group,
            kernel_shape=[kernel, kernel],
            pads=[kernel // 2] * 4,
            strides=[stride, stride],
        )
        return self.node("Clip", [x, "relu6_min", "relu6_max"]) if activate else x

    def classified(self, x: str, channels: int) -> onnx.GraphProto:
        """Add pooling and the classifier, and return the finished graph."""
        x = self.node("Flatten", [self.node("GlobalAveragePool", [x])], axis=1)
        classifier = [self._blank(_CLASSES, channels), self._blank(_CLASSES)]
        x = self.node("Softmax", [self.node("Gemm", [x, *classifier], transB=1)], axis=-1)
        return helper.make_graph(
            self._nodes,
            "mobilenet",
            [helper.make_tensor_value_info("data", TensorProto.FLOAT, ["N", 3, 224, 224])],
            [helper.make_tensor_value_info(x, TensorProto.FLOAT, ["N", _CLASSES])],
            self._constants,
        )

    def _blank(self, *shape: int) -> str:
        """Add a weight of *shape* whose values are to be filled in later."""
        shape_name = f"shape_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(shape, np.int64), shape_name))
        return self.node(BLANK, [shape_name])
