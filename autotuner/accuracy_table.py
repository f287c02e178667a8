"""A table with the accuracy of models, which nobody can measure without their test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from autotuner.core.errors import InputError


def read(path: Path, models: Sequence[str]) -> Mapping[str, float]:
    """Return the accuracy of each of *models*, paths or names, from the YAML file at *path*.

    A model stands in the table by its name as given, its file's name or that without ``.onnx``.
    Raises InputError, also for a model that is missing.
    """
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}; check the path.") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path} is no YAML; write a line for each model: name: 0.72.") from error
    if not isinstance(table, dict):
        raise InputError(f"{path} holds no table; write a line for each model: name: 0.72.")
    found = {}
    for model in models:
        names = (model, Path(model).name, Path(model).stem)
        value = next((table[name] for name in names if name in table), None)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(
                f"{path} has no accuracy for {Path(model).stem}; add a line such as "
                f"{Path(model).stem}: 0.72."
            )
        found[model] = float(value)
    return found
