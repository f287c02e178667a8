"""INT8 with ranges learnt beforehand: QDQ pairs, weights per channel.

Made with ``onnxruntime.quantization``, step by step, so that one calibration serves every attempt
of mixed precision. NNCF makes models of the same form and brings twenty packages more; its INT8 of
PP-OCR's detector and recogniser, tried once, fell below the accuracy guard's bound as well, so that
mixed precision would be needed just the same.

Weights are symmetric int8 and activations uint8 with a zero point: of the formats that ONNX Runtime
and OpenVINO both take it was the fastest on either, on x86-64 with VNNI. TensorRT takes neither
uint8 nor zero points nor quantised biases: *symmetric* models have none. Only operators that both
run in integers are quantised; a Softmax, Mul or Sigmoid between QDQ pairs loses accuracy and time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantType,
    create_calibrator,
)
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from autotuner.model.calibration import Method
from autotuner.model.integer_dot import saturates_here
from autotuner.model.precision.graph import WEIGHTED, PreparedGraph, infinite_constants
from autotuner.model.precision.unsupported import Unsupported

Feeds = Mapping[str, Any]

_OPERATORS = (
    *sorted(WEIGHTED),
    *("Add", "AveragePool", "Clip", "Concat", "Flatten", "GlobalAveragePool", "LeakyRelu"),
    *("MaxPool", "Pad", "Relu", "Reshape", "Resize", "Slice", "Split", "Squeeze", "Transpose"),
    "Unsqueeze",
)
_METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "entropy": CalibrationMethod.Entropy,
    "percentile": CalibrationMethod.Percentile,
}


class StaticQuantizer:
    """Quantises one model, as often as wanted, with the ranges of one calibration.

    *nodes* are those that can be quantised, in the order in which they run; *weighted* those of
    them that do the work.
    """

    def __init__(self, prepared: PreparedGraph, ranges: Any, *, symmetric: bool) -> None:
        self._prepared = prepared
        self._symmetric = symmetric
        self._ranges = ranges
        self._reduced_range = saturates_here() and not symmetric
        model = prepared.load()
        infinite = infinite_constants(model)
        nodes = [
            node
            for node in model.graph.node
            if node.op_type in _OPERATORS and infinite.isdisjoint(node.input)
        ]
        self.nodes = tuple(node.name for node in nodes)
        self.weighted = tuple(node.name for node in nodes if node.op_type in WEIGHTED)
        if not self.weighted:
            raise Unsupported("the model has no convolution or matrix product to quantise")

    def quantize(self, target: Path, float_nodes: Sequence[str] = ()) -> None:
        """Write the INT8 variant to *target*, the *float_nodes* left as they are."""
        left = set(float_nodes)
        quantizer = QDQQuantizer(
            self._prepared.load(),
            per_channel=True,
            reduce_range=self._reduced_range,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QInt8 if self._symmetric else QuantType.QUInt8,
            tensors_range=self._ranges,
            nodes_to_quantize=[name for name in self.nodes if name not in left],
            nodes_to_exclude=[],
            op_types_to_quantize=list(_OPERATORS),
            extra_options={
                "ActivationSymmetric": self._symmetric,
                "QuantizeBias": not self._symmetric,
            },
        )
        quantizer.quantize_model()
        target.with_name(f"{target.name}.data").unlink(missing_ok=True)
        quantizer.model.save_model_to_file(str(target), self._prepared.large)


def calibrate(
    prepared: PreparedGraph,
    samples: Iterable[Feeds],
    method: Method,
    *,
    symmetric: bool,
    on_sample: Callable[[], None],
) -> StaticQuantizer:
    """Run *samples* through the model and return a quantiser that knows its tensors' ranges."""
    calibrator = create_calibrator(
        prepared.path,
        list(_OPERATORS),
        augmented_model_path=str(prepared.path.with_name("calibrating.onnx")),
        calibrate_method=_METHODS[method],
        use_external_data_format=prepared.large,
    )
    for feeds in samples:
        # One at a time, as the collector keeps every tensor of what it is given at once.
        calibrator.collect_data(_Reader([feeds]))
        on_sample()
    ranges = calibrator.compute_data()
    for name in [
        name for name, tensor in ranges.items() if not np.isfinite(tensor.range_value).all()
    ]:
        del ranges.data[name]  # it has no scale, and the quantiser would stop at it
    return StaticQuantizer(prepared, ranges, symmetric=symmetric)


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, feeds: Iterable[Feeds]) -> None:
        self._feeds: Iterator[Feeds] = iter(feeds)

    def get_next(self) -> Feeds | None:
        return next(self._feeds, None)
