"""INT8 on real trained weights with real data: PP-OCR's recogniser on texts drawn with Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from trained import draw_lines, fetch_pp_ocr

from autotuner.model.calibration import Calibration
from autotuner.model.inputs import InputSpec
from autotuner.model.inspect import inspect
from autotuner.model.shapes import resolve
from autotuner.model.variants import VariantStore

HEIGHT, WIDTH, SAMPLES = 48, 256, 50


@pytest.fixture
def recogniser(pytestconfig):
    """Return what the recogniser's file declares."""
    return inspect(fetch_pp_ocr(pytestconfig.cache) / "recogniser.onnx")


def test_the_recogniser_still_reads_in_int8(recogniser, tmp_path):
    """INT8 passes, if need be with a part in float, judged by the characters it reads."""
    data = tmp_path / "texts.npz"
    np.savez(data, x=draw_lines(SAMPLES, HEIGHT, WIDTH))
    tensors = resolve(recogniser, {"x": (3, HEIGHT, WIDTH)})
    calibration = Calibration(inputs=InputSpec(tensors=tensors, data_path=data))
    variant = VariantStore(tmp_path / "cache").build(recogniser, "int8", calibration)
    assert variant.accuracy.judged_by == "top-1 agreement"
    assert variant.accuracy.passed()
    assert variant.quantized_nodes > 35
    assert variant.path.stat().st_size < 0.6 * recogniser.size_bytes
