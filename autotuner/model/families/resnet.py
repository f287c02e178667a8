"""ResNet at 224 x 224, the stride in the 3x3 convolution as in today's implementations.

He et al., "Deep Residual Learning for Image Recognition" (2015), table 1.
"""

from __future__ import annotations

import onnx

from autotuner.model.families.builder import INPUT, Builder

_WIDTHS = (64, 128, 256, 512)
_REPEATS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
_EXPANSION = 4


def resnet(depth: int) -> onnx.GraphProto:
    """Return the structure of the ResNet with this many layers."""
    net = Builder()
    block = _basic if depth < 50 else _bottleneck
    x = net.max_pool(net.relu(net.conv_norm(INPUT, 64, 7, stride=2)), pad=1)
    for stage, (width, repeats) in enumerate(zip(_WIDTHS, _REPEATS[depth], strict=True)):
        for repeat in range(repeats):
            x = block(net, x, width, 2 if stage and not repeat else 1)
    return net.classified(x)


def _basic(net: Builder, x: str, width: int, stride: int) -> str:
    y = net.relu(net.conv_norm(x, width, 3, stride=stride))
    return _joined(net, x, net.conv_norm(y, width, 3), stride)


def _bottleneck(net: Builder, x: str, width: int, stride: int) -> str:
    y = net.relu(net.conv_norm(x, width))
    y = net.relu(net.conv_norm(y, width, 3, stride=stride))
    return _joined(net, x, net.conv_norm(y, width * _EXPANSION), stride)


def _joined(net: Builder, x: str, y: str, stride: int) -> str:
    """Add the shortcut, brought to the branch's shape where that differs."""
    if stride > 1 or net.channels(x) != net.channels(y):
        x = net.conv_norm(x, net.channels(y), stride=stride)
    return net.relu(net.add(x, y))
