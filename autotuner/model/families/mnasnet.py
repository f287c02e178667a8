"""MnasNet-B1 at depth multiplier 1.0 and 224 x 224, without squeeze and excitation.

Tan et al., "MnasNet" (2019), figure 7 and table 1.
"""

from __future__ import annotations

import onnx

from autotuner.model.families.builder import INPUT, Builder

# (expansion, output channels, kernel, repeats, stride of the first) of each group.
_GROUPS = (
    (3, 24, 3, 3, 2),
    (3, 40, 5, 3, 2),
    (6, 80, 5, 3, 2),
    (6, 96, 3, 2, 1),
    (6, 192, 5, 4, 2),
    (6, 320, 3, 1, 1),
)


def mnasnet() -> onnx.GraphProto:
    """Return the structure of MnasNet."""
    net = Builder()
    x = net.relu(net.conv_norm(INPUT, 32, 3, stride=2))
    x = net.relu(net.conv_norm(x, 32, 3, group=32))
    x = net.conv_norm(x, 16)
    for expansion, channels, kernel, repeats, first_stride in _GROUPS:
        for repeat in range(repeats):
            x = _inverted(net, x, expansion, channels, kernel, 1 if repeat else first_stride)
    return net.classified(net.relu(net.conv_norm(x, 1280)))


def _inverted(net: Builder, x: str, expansion: int, channels: int, kernel: int, stride: int) -> str:
    inner = net.channels(x) * expansion
    y = net.relu(net.conv_norm(x, inner))
    y = net.relu(net.conv_norm(y, inner, kernel, stride=stride, group=inner))
    y = net.conv_norm(y, channels)
    return net.add(x, y) if stride == 1 and net.channels(x) == channels else y
