"""The networks that benchmarks measure, by name."""

from __future__ import annotations

from pathlib import Path

import digits
import pp_ocr

from autotuner import locations
from autotuner.core.request import Workload

TRAINED = {
    "digits": ("digits", ()),
    "pp-ocr-detector": ("detector", pp_ocr.PAGE_PX),
    "pp-ocr-recogniser": ("recogniser", pp_ocr.LINE_PX),
}
"""Those with trained weights and real data: the names of their files, their images in pixels."""


def workload(name: str, cache: Path) -> Workload:
    """Return the workload of a reference model, or of one of TRAINED, made in *cache*.

    Only with real data can INT8 be calibrated and judged, and so take part.
    """
    if name not in TRAINED:
        return Workload(model=name)
    stem, size_px = TRAINED[name]
    folder = locations.make_folder(cache / "benchmarks")
    model, data = folder / f"{stem}.onnx", folder / f"{stem}.npz"
    if not (model.exists() and data.exists()):
        write = digits.write if name == "digits" else pp_ocr.write
        write(folder)
    shapes = ("x=3x{}x{}".format(*size_px),) if size_px else ()
    return Workload(model=str(model), shapes=shapes, data=str(data))
