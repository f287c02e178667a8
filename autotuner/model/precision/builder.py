"""Make one variant in this process."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autotuner.core.accuracy import Accuracy
from autotuner.model.accuracy import judge
from autotuner.model.calibration import Calibration, outside, ranges
from autotuner.model.inputs import Inputs
from autotuner.model.precision import dynamic, graph, half, mixed, static
from autotuner.model.precision.messages import MODEL_FILE, Built, Order, Progress
from autotuner.model.precision.session import Session, check

_MOST_CALIBRATING = {"minmax": 64, "entropy": 32, "percentile": 32}
"""Ranges change little beyond, and histograms of every tensor take several times as long."""
_MOST_JUDGING = 64
_MOST_OUTPUT_BYTES = 2**28
_SENSITIVITY_SAMPLES = 4

Feeds = Sequence[Mapping[str, Any]]


def build(order: Order, report: Callable[[Progress], None]) -> Built:
    """Make what *order* asks for, and check that ONNX Runtime loads it.

    Raises Unsupported when there is no such variant, ModelError for data that cannot be used.
    """
    target = order.folder / MODEL_FILE
    with tempfile.TemporaryDirectory(dir=order.folder.parent, prefix=".scratch-") as scratch:
        report(Progress(step="preparing the graph"))
        prepared = graph.prepare(order.model, Path(scratch))
        report(Progress(step="converting"))
        if order.variant == "fp16":
            half.convert(prepared, target)
            built = Built()
        elif order.variant == "int8-dynamic":
            built = Built(quantized_nodes=dynamic.quantize(prepared, target))
        else:
            assert order.calibration is not None
            built = _Int8(order, order.calibration, prepared, report).build(target)
    check(target)
    return built


class _Int8:
    """Static quantisation, judged and, where it loses too much, mended."""

    def __init__(
        self,
        order: Order,
        calibration: Calibration,
        prepared: graph.PreparedGraph,
        report: Callable[[Progress], None],
    ) -> None:
        self._order = order
        self._calibration = calibration
        self._report = report
        samples = calibration.samples()
        most = _MOST_CALIBRATING[calibration.method]
        self._calibrating = _feeds(samples, order.batch_size, most)
        self._quantizer = self._calibrated(prepared)
        self._reference = Session(order.model)
        held_out = calibration.held_out()
        self._note = outside(ranges(samples), ranges(held_out))
        self._judging = _feeds(held_out, order.batch_size, self._affordable(held_out))

    def build(self, target: Path) -> Built:
        """Write the variant to *target*; with real data the worst blocks stay in float."""
        self._report(Progress(step="judging"))
        expected = list(self._reference.run(self._judging))

        def attempt(float_nodes: mixed.FloatNodes) -> Accuracy:
            self._quantizer.quantize(target, float_nodes)
            return self._judged(target, expected, self._judging)

        float_nodes: mixed.FloatNodes = ()
        accuracy = attempt(float_nodes)
        if self._calibration.real and not accuracy.passed(self._order.min_accuracy):
            blocks = mixed.blocks(self._quantizer.nodes, self._quantizer.weighted)
            noises = self._noises(blocks, target)
            self._report(Progress(step="leaving the worst blocks in float"))
            float_nodes, accuracy = mixed.mend(blocks, noises, attempt, self._order.min_accuracy)
            self._quantizer.quantize(target, float_nodes)
        left = set(self._quantizer.weighted) - set(float_nodes)
        return Built(
            float_nodes=float_nodes,
            quantized_nodes=len(left),
            accuracy=accuracy,
            note=self._note,
        )

    def _calibrated(self, prepared: graph.PreparedGraph) -> static.StaticQuantizer:
        total = len(self._calibrating)
        done = 0

        def count() -> None:
            nonlocal done
            done += 1
            self._report(Progress(step="calibrating", done=done, total=total))

        return static.calibrate(
            prepared,
            self._calibrating,
            self._calibration.method,
            symmetric=self._order.variant == "int8-symmetric",
            on_sample=count,
        )

    def _affordable(self, samples: Inputs) -> int:
        """Return how many samples may be judged, as the outputs of all are kept in memory."""
        (first,) = self._reference.run(_feeds(samples, self._order.batch_size, 1))
        size = sum(getattr(output, "nbytes", 0) for output in first)
        runs = max(1, _MOST_OUTPUT_BYTES // max(1, size))
        return min(_MOST_JUDGING, runs * self._order.batch_size)

    def _noises(self, blocks: Sequence[mixed.FloatNodes], target: Path) -> list[float]:
        """Return the noise of each of *blocks* at the outputs, quantised alone."""
        feeds = self._calibrating[:_SENSITIVITY_SAMPLES]
        expected = list(self._reference.run(feeds))
        noises = []
        for done, block in enumerate(blocks):
            self._report(Progress(step="measuring each block", done=done, total=len(blocks)))
            rest = [node for node in self._quantizer.nodes if node not in set(block)]
            self._quantizer.quantize(target, rest)
            noises.append(mixed.noise(self._judged(target, expected, feeds)))
        return noises

    def _judged(self, model: Path, expected: Sequence[Sequence[Any]], feeds: Feeds) -> Accuracy:
        return judge(
            expected,
            Session(model).run(feeds),
            output_names=self._reference.output_names,
            judged_on="data" if self._calibration.real else "random inputs",
            samples=len(feeds) * self._order.batch_size,
        )


def _feeds(inputs: Inputs, batch_size: int, most: int) -> Feeds:
    """Return batches with at most *most* samples from all over *inputs*.

    The last is filled up by repetition.
    """
    available = math.ceil(inputs.count / batch_size)
    count = min(available, math.ceil(most / batch_size))
    return [inputs.batch(batch_size, at * available // count) for at in range(count)]
