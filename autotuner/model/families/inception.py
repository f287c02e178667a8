"""Inception v3 at 299 x 299 without its auxiliary classifier.

Szegedy et al., "Rethinking the Inception Architecture" (2015), table 1 and figures 5 to 7.
"""

from __future__ import annotations

from typing import Any

import onnx

from autotuner.model.families.builder import INPUT, Builder


def v3() -> onnx.GraphProto:
    """Return the structure of Inception v3."""
    net = Builder(size=299)
    x = _conv(net, INPUT, 32, 3, stride=2, padded=False)
    x = _conv(net, _conv(net, x, 32, 3, padded=False), 64, 3)
    x = _conv(net, _conv(net, net.max_pool(x), 80), 192, 3, padded=False)
    x = net.max_pool(x)
    for pooled in (32, 64, 64):
        x = _mixed_5(net, x, pooled)
    x = _reduction_6(net, x)
    for width in (128, 160, 160, 192):
        x = _mixed_6(net, x, width)
    x = _reduction_7(net, x)
    return net.classified(_mixed_7(net, _mixed_7(net, x)))


def _conv(net: Builder, x: str, channels: int, kernel: Any = 1, **settings: Any) -> str:
    return net.relu(net.conv_norm(x, channels, kernel, **settings))


def _pooled(net: Builder, x: str, channels: int) -> str:
    return _conv(net, net.average_pool(x, 3, 1, pad=1), channels)


def _mixed_5(net: Builder, x: str, pooled: int) -> str:
    """Add the module of figure 5: 5x5, and two 3x3 in a row, beside 1x1 and pooling."""
    wide = _conv(net, _conv(net, x, 48), 64, 5)
    deep = _conv(net, _conv(net, _conv(net, x, 64), 96, 3), 96, 3)
    return net.concat([_conv(net, x, 64), wide, deep, _pooled(net, x, pooled)])


def _reduction_6(net: Builder, x: str) -> str:
    deep = _conv(net, _conv(net, x, 64), 96, 3)
    branches = [_conv(net, y, c, 3, stride=2, padded=False) for y, c in ((x, 384), (deep, 96))]
    return net.concat([*branches, net.max_pool(x)])


def _mixed_6(net: Builder, x: str, width: int) -> str:
    """Add the module of figure 6: 7x7 as 1x7 and 7x1, once and twice."""
    single = _conv(net, _conv(net, _conv(net, x, width), width, (1, 7)), 192, (7, 1))
    double = _conv(net, x, width)
    for kernel in ((7, 1), (1, 7), (7, 1)):
        double = _conv(net, double, width, kernel)
    double = _conv(net, double, 192, (1, 7))
    return net.concat([_conv(net, x, 192), single, double, _pooled(net, x, 192)])


def _reduction_7(net: Builder, x: str) -> str:
    small = _conv(net, _conv(net, x, 192), 320, 3, stride=2, padded=False)
    large = _conv(net, _conv(net, _conv(net, x, 192), 192, (1, 7)), 192, (7, 1))
    large = _conv(net, large, 192, 3, stride=2, padded=False)
    return net.concat([small, large, net.max_pool(x)])


def _mixed_7(net: Builder, x: str) -> str:
    """Add the module of figure 7: 1x3 and 3x1 beside each other."""
    small = _conv(net, x, 384)
    large = _conv(net, _conv(net, x, 448), 384, 3)
    fans = [_conv(net, y, 384, kernel) for y in (small, large) for kernel in ((1, 3), (3, 1))]
    return net.concat([_conv(net, x, 320), *fans, _pooled(net, x, 192)])
