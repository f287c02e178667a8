"""A network with trained weights and real data: a small CNN on scikit-learn's handwritten digits.

Writes digits.onnx, digits.npz (input x) and labels.txt, and prints what the network knows::

    python benchmarks/digits.py FOLDER

Trained by plain NumPy in seconds: two 3x3 convolutions with ReLU and pooling, one dense layer;
stochastic gradient descent with momentum. The last third of the 1797 images is for testing, which
is what the data and labels hold.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

Array = np.ndarray[Any, np.dtype[np.float32]]

CHANNELS = (1, 8, 16)
CLASSES = 10
EPOCHS = 8
BATCH = 32
RATE, MOMENTUM = 0.05, 0.9
TRAINING_IMAGES = 1198


class Convolution:
    """A 3x3 convolution that keeps the size, with ReLU and 2x2 pooling by the maximum."""

    def __init__(self, rng: np.random.Generator, inputs: int, outputs: int) -> None:
        deviation = np.sqrt(2 / (9 * inputs))
        self.weight = (rng.standard_normal((outputs, inputs, 3, 3)) * deviation).astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)

    def forward(self, x: Array) -> Array:
        """Return the pooled activations of images [N, C, H, W]."""
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = sliding_window_view(padded, (3, 3), axis=(2, 3))
        self._windows = windows  # [N, C, H, W, 3, 3]
        y = np.tensordot(windows, self.weight, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)
        self._active = np.maximum(y + self.bias[:, None, None], 0)
        n, c, h, w = self._active.shape
        quads = self._active.reshape(n, c, h // 2, 2, w // 2, 2)
        pooled: Array = quads.max((3, 5))
        self._chosen = quads == pooled[:, :, :, None, :, None]
        return pooled

    def backward(self, gradient: Array) -> tuple[Array, Array, Array]:
        """Return the gradients of input, weight and bias."""
        spread = self._chosen * gradient[:, :, :, None, :, None]
        dy = spread.reshape(self._active.shape) * (self._active > 0)
        d_weight = np.tensordot(dy, self._windows, ((0, 2, 3), (0, 2, 3)))
        padded = np.pad(dy, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = sliding_window_view(padded, (3, 3), axis=(2, 3))
        mirrored = self.weight[:, :, ::-1, ::-1]
        dx = np.tensordot(windows, mirrored, ((1, 4, 5), (0, 2, 3))).transpose(0, 3, 1, 2)
        return dx, d_weight, dy.sum((0, 2, 3))


class Network:
    """Two convolutions and a dense layer, from [N, 1, 8, 8] to class scores [N, 10]."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.convolutions = [
            Convolution(rng, inputs, outputs) for inputs, outputs in itertools.pairwise(CHANNELS)
        ]
        features = CHANNELS[-1] * 4
        deviation = np.sqrt(1 / features)
        self.weight = (rng.standard_normal((CLASSES, features)) * deviation).astype(np.float32)
        self.bias = np.zeros(CLASSES, np.float32)

    def parameters(self) -> list[Array]:
        """Return every weight and bias, in the order of :meth:`gradients`."""
        layers = [*self.convolutions, self]
        return [array for layer in layers for array in (layer.weight, layer.bias)]

    def forward(self, x: Array) -> Array:
        """Return the class scores."""
        for layer in self.convolutions:
            x = layer.forward(x)
        self._shape, self._flat = x.shape, x.reshape(len(x), -1)
        return self._flat @ self.weight.T + self.bias

    def gradients(self, x: Array, labels: np.ndarray[Any, Any]) -> list[Array]:
        """Return the gradient of the mean cross-entropy by every parameter."""
        scores = self.forward(x)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        shares[np.arange(len(x)), labels] -= 1
        shares /= len(x)
        found = [shares.T @ self._flat, shares.sum(0)]
        gradient = (shares @ self.weight).reshape(self._shape)
        for layer in reversed(self.convolutions):
            gradient, *mine = layer.backward(gradient)
            found = [*mine, *found]
        return found

    def train(self, rng: np.random.Generator, x: Array, labels: np.ndarray[Any, Any]) -> None:
        """Fit the parameters to images and labels."""
        speeds = [np.zeros_like(parameter) for parameter in self.parameters()]
        for _ in range(EPOCHS):
            order = rng.permutation(len(x))
            for start in range(0, len(x), BATCH):
                chosen = order[start : start + BATCH]
                steps = zip(
                    self.parameters(),
                    speeds,
                    self.gradients(x[chosen], labels[chosen]),
                    strict=True,
                )
                for parameter, speed, gradient in steps:
                    speed[...] = MOMENTUM * speed - RATE * gradient
                    parameter[...] += speed

    def to_onnx(self) -> onnx.ModelProto:
        """Return the network as ONNX with a free batch axis."""
        nodes, weights, last = [], {}, "x"
        for number, layer in enumerate(self.convolutions, 1):
            weights |= {f"conv{number}.weight": layer.weight, f"conv{number}.bias": layer.bias}
            names = [last, f"conv{number}.weight", f"conv{number}.bias"]
            conv, relu, last = f"conv{number}", f"relu{number}", f"pool{number}"
            nodes += [
                helper.make_node("Conv", names, [conv], conv, pads=[1, 1, 1, 1]),
                helper.make_node("Relu", [conv], [relu], relu),
                helper.make_node(
                    "MaxPool", [relu], [last], last, kernel_shape=[2, 2], strides=[2, 2]
                ),
            ]
        weights |= {"dense.weight": self.weight, "dense.bias": self.bias}
        nodes += [
            helper.make_node("Flatten", [last], ["flat"], "flat"),
            helper.make_node(
                "Gemm", ["flat", "dense.weight", "dense.bias"], ["scores"], "dense", transB=1
            ),
        ]
        graph = helper.make_graph(
            nodes,
            "digits",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 8, 8])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", CLASSES])],
            [numpy_helper.from_array(array, name) for name, array in weights.items()],
        )
        model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
        onnx.checker.check_model(model)
        return model


def write(folder: Path, seed: int = 0) -> float:
    """Train, write model, test data and labels to *folder*, and return the test accuracy."""
    images, labels = load_digits(return_X_y=True)
    x = (images / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    rng = np.random.default_rng(seed)
    network = Network(rng)
    network.train(rng, x[:TRAINING_IMAGES], labels[:TRAINING_IMAGES])
    x, labels = x[TRAINING_IMAGES:], labels[TRAINING_IMAGES:]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "digits.onnx").write_bytes(network.to_onnx().SerializeToString())
    np.savez(folder / "digits.npz", x=x)
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    return float((network.forward(x).argmax(-1) == labels).mean())


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else "digits")
    print(f"{write(place):.1%} of the test images are read right; written to {place}.")
