"""Precision variants of models, made once and kept by content."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

from autotuner.core.accuracy import DEFAULT_MIN_ACCURACY
from autotuner.core.errors import StateError
from autotuner.core.outcome import Failed
from autotuner.model.calibration import Calibration
from autotuner.model.info import ModelInfo
from autotuner.model.integer_dot import saturates_here
from autotuner.model.precision.messages import Built, Order, Progress
from autotuner.model.variant import Variant, VariantFacts, model_hash, publish, read
from autotuner.model.variant_builder import run

__all__ = ["Entry", "Variant", "VariantStore", "refusal"]

_RUNTIME_NATIVE = ("fp32", "bf16")
"""What a runtime computes in by itself: the graph is the model's own."""

SCHEMA = 1
"""Raised whenever the making changes, so that variants of an older way are not taken for new."""

_UNFINISHED = ".building-"
_TOOLS = ("onnx", "onnxruntime", "onnxruntime-gpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One variant in the cache."""

    model: str
    variant: str
    size_bytes: int
    calibrated_on: str | None
    folder: Path


class VariantStore:
    """The variants in a cache directory, each in a folder named by what it depends on."""

    def __init__(self, cache_dir: Path) -> None:
        self._root = cache_dir / f"variants-{SCHEMA}"

    def build(
        self,
        info: ModelInfo,
        variant: str,
        calibration: Calibration | None = None,
        *,
        min_accuracy: float = DEFAULT_MIN_ACCURACY,
        on_progress: Callable[[Progress], None] = lambda _: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Variant | Failed | None:
        """Return *variant* of the model, making it in a process of its own when it is not there.

        None when *cancelled* said yes, Failed when there is no such variant. INT8 needs a
        *calibration*, and with real data aims at *min_accuracy* by mixed precision; whether it got
        there is for the caller to see. Raises ModelError for data that cannot be used, StateError
        when the cache cannot be written.
        """
        if variant in _RUNTIME_NATIVE:
            return Variant(path=info.path, model=info.name, variant=variant, sha256=info.sha256)
        if variant not in ("int8", "int8-symmetric"):
            calibration = None
        elif calibration is None:
            return Failed(
                "unsupported", f"{variant} needs data to calibrate with; give it with --data"
            )
        reason = refusal(info, variant)
        if reason is not None:
            return Failed("unsupported", reason)
        folder = self._root / _key(info, variant, calibration, min_accuracy)
        known = read(folder)
        if known is not None:
            return known
        with self._building() as place:
            order = Order(
                model=info.path.absolute(),
                variant=variant,
                folder=place,
                calibration=calibration,
                batch_size=1 if info.batch == "free" else info.batch,
                min_accuracy=min_accuracy,
            )
            built = run(order, on_progress, cancelled)
            if not isinstance(built, Built):
                return built
            facts = VariantFacts(
                model=info.name,
                variant=variant,
                sha256=model_hash(place),
                calibrated_on=calibration.source if calibration else None,
                real_data=calibration.real if calibration else False,
                float_nodes=built.float_nodes,
                quantized_nodes=built.quantized_nodes,
                accuracy=built.accuracy,
                note=built.note,
            )
            return publish(place, facts, folder)

    def entries(self) -> list[Entry]:
        """Return every whole variant in the cache, by model and precision."""
        folders = sorted(self._root.iterdir()) if self._root.is_dir() else []
        entries = [
            Entry(
                model=variant.model,
                variant=variant.variant,
                size_bytes=_size_bytes(folder),
                calibrated_on=variant.calibrated_on,
                folder=folder,
            )
            for folder in folders
            if (variant := read(folder)) is not None
        ]
        return sorted(entries, key=lambda entry: (entry.model, entry.variant))

    def clear(self) -> int:
        """Remove every variant and what is left of unfinished ones; return the bytes freed."""
        freed = _size_bytes(self._root)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._root)
        return freed

    @contextlib.contextmanager
    def _building(self) -> Iterator[Path]:
        """Give a folder to build in that nobody takes for a variant, and remove it afterwards."""
        prefix = f"{_UNFINISHED}{os.getpid()}-"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            _sweep(self._root)
            with tempfile.TemporaryDirectory(
                dir=self._root, prefix=prefix, ignore_cleanup_errors=True
            ) as workshop:
                place = Path(workshop) / "variant"
                place.mkdir()
                yield place
        except OSError as error:
            raise StateError(
                f"Cannot keep variants in {self._root}: {error.strerror}; "
                "free some space there or choose another cache folder with AUTOTUNE_CACHE_DIR."
            ) from error


def refusal(info: ModelInfo, variant: str) -> str | None:
    """Say why *variant* is not worth making of this model, None when it is; by its operators."""
    count = info.operators.get
    if variant == "int8-dynamic":
        products = count("MatMul", 0) + count("Gemm", 0)
        convolutions = count("Conv", 0) + count("ConvTranspose", 0)
        if products <= convolutions:
            return (
                f"{convolutions} of {convolutions + products} layers of {info.name} are "
                "convolutions, and int8-dynamic is for models that are mostly matrix products"
            )
    return None


def _key(
    info: ModelInfo, variant: str, calibration: Calibration | None, min_accuracy: float
) -> str:
    facts = {
        "model": info.sha256,
        "variant": variant,
        "calibration": calibration.digest() if calibration else None,
        "min_accuracy": min_accuracy if calibration and calibration.real else None,
        "reduced_range": saturates_here() if calibration else None,
        "tools": _tool_versions(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _tool_versions() -> Mapping[str, str]:
    versions = {}
    for name in _TOOLS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def _sweep(root: Path) -> None:
    """Remove what builders that are gone have left in *root*."""
    for left in root.glob(f"{_UNFINISHED}*"):
        builder = left.name.removeprefix(_UNFINISHED).partition("-")[0]
        if not psutil.pid_exists(int(builder)):
            shutil.rmtree(left, ignore_errors=True)


def _size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
