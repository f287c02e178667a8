"""Networks with trained weights and real data: the digits CNN, and PP-OCR out of a wheel."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

DETECTOR, RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"

_WHEEL = "rapidocr==3.10.0"
_WORDS = (
    *("edge", "tuning", "latency", "budget", "worker", "thread"),
    *("precision", "Jetson", "sensor", "clock", "power"),
)


def write_digits(folder):
    """Train the digits CNN and write digits.onnx, digits.npz and labels.txt to *folder*."""
    path = Path(__file__).parents[1] / "benchmarks" / "digits.py"
    spec = importlib.util.spec_from_file_location("benchmarks_digits", path)
    digits = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(digits)
    digits.write(folder)
    return folder


def fetch_pp_ocr(cache):
    """Return the folder of *cache*, pytest's, with the models; download them when needed."""
    folder = cache.mkdir("rapidocr-3.10.0")
    if not all((folder / name).exists() for name in (DETECTOR, RECOGNISER)):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*pip, _WHEEL], check=True)
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in (DETECTOR, RECOGNISER):
                (folder / name).write_bytes(archive.read(f"rapidocr/models/{name}"))
        wheel.unlink()
    return folder


def draw_texts(count, height, width, seed=0):
    """Return *count* images with a line of text each, as PP-OCR takes them: N x 3 x H x W."""
    rng = np.random.default_rng(seed)
    font = ImageFont.load_default(size=height * 0.5)
    samples = []
    for _ in range(count):
        paper, ink = (tuple(rng.integers(*level, 3).tolist()) for level in ((190, 256), (0, 70)))
        image = Image.new("RGB", (width, height), paper)
        text = f"{' '.join(rng.choice(_WORDS, 2))} {rng.integers(10, 99)}"
        ImageDraw.Draw(image).text((rng.integers(2, 12), height * 0.2), text, ink, font)
        samples.append((np.asarray(image, np.float32) / 127.5 - 1).transpose(2, 0, 1))
    return np.stack(samples)
