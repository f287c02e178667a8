"""Xception at 299 x 299.

Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions" (2017), figure 5.
"""

from __future__ import annotations

import onnx

from autotuner.model.families.builder import INPUT, Builder

_MIDDLE_BLOCKS = 8


def xception() -> onnx.GraphProto:
    """Return the structure of Xception."""
    net = Builder(size=299)
    x = net.relu(net.conv_norm(INPUT, 32, 3, stride=2, padded=False))
    x = net.relu(net.conv_norm(x, 64, 3, padded=False))
    for channels, activated in ((128, False), (256, True), (728, True)):
        x = _entry(net, x, (channels, channels), activated=activated)
    for _ in range(_MIDDLE_BLOCKS):
        y = x
        for _ in range(3):
            y = _separable(net, net.relu(y), 728)
        x = net.add(x, y)
    x = _entry(net, x, (728, 1024))
    for channels in (1536, 2048):
        x = net.relu(_separable(net, x, channels))
    return net.classified(x)


def _separable(net: Builder, x: str, channels: int) -> str:
    return net.conv_norm(net.conv(x, net.channels(x), 3, group=net.channels(x)), channels)


def _entry(net: Builder, x: str, widths: tuple[int, int], *, activated: bool = True) -> str:
    """Add a block that halves the size, beside a strided shortcut."""
    shortcut = net.conv_norm(x, widths[1], stride=2)
    y = _separable(net, net.relu(x) if activated else x, widths[0])
    y = net.max_pool(_separable(net, net.relu(y), widths[1]), pad=1)
    return net.add(shortcut, y)
