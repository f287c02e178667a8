"""Networks with trained weights and real data: the digits CNN, and PP-OCR out of a wheel."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def write_digits(folder):
    """Train the digits CNN and write digits.onnx, digits.npz and labels.txt to *folder*."""
    _script("digits").write(folder)
    return folder


def fetch_pp_ocr(cache):
    """Return the folder of *cache*, pytest's, with PP-OCR; download it when needed."""
    folder = cache.mkdir("pp-ocr-3.10.0")
    _script("pp_ocr").fetch(folder)
    return folder


def draw_lines(count, height, width):
    """Return *count* images with a line of text each, as PP-OCR takes them: N x 3 x H x W."""
    return _script("pp_ocr").draw_lines(count, height, width)


def _script(name):
    """Return the benchmark that has them, as a module."""
    path = Path(__file__).parents[1] / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script
