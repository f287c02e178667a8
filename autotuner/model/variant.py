"""One precision variant, and the folder that it lies in: whole, or taken for nothing."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, fields
from pathlib import Path

from autotuner import durable
from autotuner.core.accuracy import Accuracy
from autotuner.core.encoding import decode, encode
from autotuner.core.errors import InputError
from autotuner.model.digest import sha256
from autotuner.model.precision.messages import MODEL_FILE

_RECORD = "variant.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantFacts:
    """What is known of a variant beside its file.

    *model* is the name of the model it was made of. *calibrated_on* says in words what ranges were
    learnt from, *real_data* whether that was the user's. *float_nodes* are those that stay in float
    for the sake of *accuracy*, which is that on ONNX Runtime. *note* is what the user should know
    of the data.
    """

    model: str
    variant: str
    sha256: str
    calibrated_on: str | None = None
    real_data: bool = False
    float_nodes: tuple[str, ...] = ()
    quantized_nodes: int | None = None
    accuracy: Accuracy | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant(VariantFacts):
    """A model in one precision: *path* is the file that every runtime loads."""

    path: Path


def read(folder: Path) -> Variant | None:
    """Return the variant in *folder*, None when there is none or it is damaged."""
    try:
        facts: VariantFacts = decode(VariantFacts, json.loads((folder / _RECORD).read_bytes()))
        return _at(folder, facts) if model_hash(folder) == facts.sha256 else None
    except (OSError, ValueError, InputError):
        return None


def publish(place: Path, facts: VariantFacts, folder: Path) -> Variant:
    """Move what lies in *place* to *folder* in one step, when all of it is on the disk.

    Raises OSError.
    """
    for file in _model_files(place):
        with file.open("rb") as content:
            os.fsync(content.fileno())
    durable.write(place / _RECORD, json.dumps(encode(facts), indent=1).encode())
    faster = read(folder)
    if faster is not None:
        return faster  # somebody else made the same
    shutil.rmtree(folder, ignore_errors=True)  # damaged
    place.rename(folder)
    durable.sync_folder(folder.parent)
    return _at(folder, facts)


def model_hash(folder: Path) -> str:
    """Return the SHA-256 of the model in *folder*, its external data included."""
    return sha256(_model_files(folder))


def _model_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.name != _RECORD)


def _at(folder: Path, facts: VariantFacts) -> Variant:
    known = {field.name: getattr(facts, field.name) for field in fields(facts)}
    return Variant(path=folder / MODEL_FILE, **known)
