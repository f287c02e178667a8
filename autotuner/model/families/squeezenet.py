"""SqueezeNet 1.0 at 224 x 224.

Iandola et al., "SqueezeNet" (2016), table 1.
"""

from __future__ import annotations

import onnx

from autotuner.model.families.builder import CLASSES, INPUT, Builder

# (channels squeezed to, channels of each expansion) of the fire modules between poolings.
_STAGES = (
    ((16, 64), (16, 64), (32, 128)),
    ((32, 128), (48, 192), (48, 192), (64, 256)),
    ((64, 256),),
)


def v1_0() -> onnx.GraphProto:
    """Return the structure of SqueezeNet 1.0."""
    net = Builder()
    x = net.relu(net.conv(INPUT, 96, 7, stride=2, padded=False, bias=True))
    for stage in _STAGES:
        x = net.max_pool(x, ceil=True)
        for squeezed, expanded in stage:
            x = net.relu(net.conv(x, squeezed, bias=True))
            x = net.concat(
                [net.relu(net.conv(x, expanded, kernel, bias=True)) for kernel in (1, 3)]
            )
    x = net.relu(net.conv(x, CLASSES, bias=True))
    return net.finished(net.flatten(net.global_pool(x), CLASSES))
