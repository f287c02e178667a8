"""The user's own measure of accuracy, a function in a module of theirs."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotuner.core.errors import InputError

Outputs = Sequence[Mapping[str, Any]]
"""The outputs of every run by name, one run after the other."""

Score = Callable[[Outputs, Outputs], Any]
"""Takes FP32's outputs and the variant's; returns 1 where nothing is lost, less where it is."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A function with the *name* it is asked for by, ``module:function``."""

    name: str
    function: Score

    def __call__(self, reference: Outputs, candidate: Outputs) -> float:
        """Return the score; raises InputError when the function fails or returns no number."""
        try:
            score = float(self.function(reference, candidate))
        except Exception as error:
            raise InputError(
                f"{self.name} failed with {type(error).__name__}: {error}; it gets two lists with "
                "a mapping from output names to arrays for each run, and returns a number."
            ) from error
        if math.isnan(score):
            raise InputError(
                f"{self.name} returned NaN; return 1 where nothing is lost, else less."
            )
        return score


def load(text: str, folder: Path) -> Metric:
    """Return the function written ``module:function``; modules in *folder* are found too.

    Raises InputError when there is none, or when importing it fails.
    """
    module_name, _, function_name = text.partition(":")
    if not module_name or not function_name:
        raise InputError(f"{text!r} names no function; write it as module:function.")
    sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"There is no module {error.name!r} for {text} in {folder} or among the installed "
            "packages; check its name."
        ) from error
    except Exception as error:
        raise InputError(
            f"Importing {module_name} failed with {type(error).__name__}: {error}; mend it."
        ) from error
    finally:
        sys.path.remove(str(folder))
    function = getattr(module, function_name, None)
    if not callable(function):
        raise InputError(f"{module_name} has no function {function_name!r}; check its name.")
    return Metric(text, function)
