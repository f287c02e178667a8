"""DenseNet-BC at 224 x 224: normalisation before each convolution.

Huang et al., "Densely Connected Convolutional Networks" (2016), table 1.
"""

from __future__ import annotations

import onnx

from autotuner.model.families.builder import INPUT, Builder

# (growth rate, channels of the stem, layers of each block)
_SIZES = {
    121: (32, 64, (6, 12, 24, 16)),
    161: (48, 96, (6, 12, 36, 24)),
    169: (32, 64, (6, 12, 32, 32)),
    201: (32, 64, (6, 12, 48, 32)),
}
_BOTTLENECK = 4


def densenet(depth: int) -> onnx.GraphProto:
    """Return the structure of the DenseNet with this many layers."""
    growth, stem, blocks = _SIZES[depth]
    net = Builder()
    x = net.max_pool(net.relu(net.conv_norm(INPUT, stem, 7, stride=2)), pad=1)
    for index, layers in enumerate(blocks):
        if index:
            x = net.conv(net.relu(net.norm(x)), net.channels(x) // 2)
            x = net.average_pool(x, 2, 2)
        for _ in range(layers):
            y = net.conv(net.relu(net.norm(x)), _BOTTLENECK * growth)
            x = net.concat([x, net.conv(net.relu(net.norm(y)), growth, 3)])
    return net.classified(net.relu(net.norm(x)))
