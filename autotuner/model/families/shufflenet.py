"""ShuffleNet v2 at width 1.0 and 224 x 224.

Ma et al., "ShuffleNet V2" (2018), table 5 and figure 3.
"""

from __future__ import annotations

import onnx

from autotuner.model.families.builder import INPUT, Builder

# (output channels, units, height and width) of each stage.
_STAGES = ((116, 4, 28), (232, 8, 14), (464, 4, 7))


def v2() -> onnx.GraphProto:
    """Return the structure of ShuffleNet v2."""
    net = Builder()
    x = net.max_pool(net.relu(net.conv_norm(INPUT, 24, 3, stride=2)), pad=1)
    for channels, units, size in _STAGES:
        half = channels // 2
        x = _shuffled(net, [_depthwise_first(net, x, half), _branch(net, x, half, 2)], size)
        for _ in range(units - 1):
            kept, worked = (_slice(net, x, start, start + half) for start in (0, half))
            x = _shuffled(net, [kept, _branch(net, worked, half, 1)], size)
    return net.classified(net.relu(net.conv_norm(x, 1024)))


def _branch(net: Builder, x: str, channels: int, stride: int) -> str:
    y = net.relu(net.conv_norm(x, channels))
    y = net.conv_norm(y, channels, 3, stride=stride, group=channels)
    return net.relu(net.conv_norm(y, channels))


def _depthwise_first(net: Builder, x: str, channels: int) -> str:
    y = net.conv_norm(x, net.channels(x), 3, stride=2, group=net.channels(x))
    return net.relu(net.conv_norm(y, channels))


def _slice(net: Builder, x: str, start: int, end: int) -> str:
    bounds = [net.constant([value]) for value in (start, end, 1)]
    return net.node("Slice", [x, *bounds], end - start)


def _shuffled(net: Builder, halves: list[str], size: int) -> str:
    """Join two halves and let their channels take turns."""
    x = net.concat(halves)
    channels = net.channels(x)
    x = net.node("Reshape", [x, net.constant([0, 2, channels // 2, size, size])], 2)
    x = net.node("Transpose", [x], channels // 2, perm=[0, 2, 1, 3, 4])
    return net.node("Reshape", [x, net.constant([0, channels, size, size])], channels)
