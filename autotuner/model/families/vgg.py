"""VGG at 224 x 224, configurations A, B, D and E without normalisation.

Simonyan and Zisserman, "Very Deep Convolutional Networks" (2014), table 1.
"""

from __future__ import annotations

import onnx

from autotuner.model.families.builder import CLASSES, INPUT, Builder

_WIDTHS = (64, 128, 256, 512, 512)
_REPEATS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


def vgg(depth: int) -> onnx.GraphProto:
    """Return the structure of the VGG with this many layers."""
    net = Builder()
    x = INPUT
    for width, repeats in zip(_WIDTHS, _REPEATS[depth], strict=True):
        for _ in range(repeats):
            x = net.relu(net.conv(x, width, 3, bias=True))
        x = net.max_pool(x, kernel=2)
    x = net.flatten(x, 512 * 7 * 7)
    for _ in range(2):
        x = net.relu(net.dense(x, 4096))
    return net.finished(net.dense(x, CLASSES))
