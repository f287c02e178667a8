"""MobileNet v1 and v2 at width 1.0 and 224 x 224.

Howard et al., "MobileNets" (2017), table 1; Sandler et al., "MobileNetV2" (2018), table 2.
"""

from __future__ import annotations

import onnx

from autotuner.model.families.builder import INPUT, Builder

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
    net = Builder()
    x = net.relu6(net.conv_norm(INPUT, 32, 3, stride=2))
    for channels, stride in _V1_BLOCKS:
        x = net.relu6(net.conv_norm(x, net.channels(x), 3, stride=stride, group=net.channels(x)))
        x = net.relu6(net.conv_norm(x, channels))
    return net.classified(x)


def v2() -> onnx.GraphProto:
    """Return the structure of MobileNet v2."""
    net = Builder()
    x = net.relu6(net.conv_norm(INPUT, 32, 3, stride=2))
    for expansion, channels, repeats, first_stride in _V2_GROUPS:
        for repeat in range(repeats):
            x = _bottleneck(net, x, expansion, channels, 1 if repeat else first_stride)
    return net.classified(net.relu6(net.conv_norm(x, 1280)))


def _bottleneck(net: Builder, x: str, expansion: int, channels: int, stride: int) -> str:
    shortcut, inner = x, net.channels(x) * expansion
    if expansion > 1:
        x = net.relu6(net.conv_norm(x, inner))
    x = net.relu6(net.conv_norm(x, inner, 3, stride=stride, group=inner))
    x = net.conv_norm(x, channels)
    return net.add(shortcut, x) if stride == 1 and net.channels(shortcut) == channels else x
