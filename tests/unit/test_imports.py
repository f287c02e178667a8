import pkgutil
import subprocess
import sys

import pytest

import autotuner.core

HEAVY = {"numpy", "onnx", "onnxruntime", "optuna", "sqlalchemy"}
CORE = [f"autotuner.core.{module.name}" for module in pkgutil.iter_modules(autotuner.core.__path__)]


def _packages_loaded_by(modules):
    """Return the top-level packages that a fresh interpreter loads for *modules*."""
    code = f"import sys; before = {{*sys.modules}}; import {modules}"
    code += "; print(*{*sys.modules} - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("module", ["autotuner", "autotuner.cli", "autotuner.client", "tui"])
def test_front_ends_start_without_the_search_stack(module):
    """A front end must not pay for Optuna, ONNX or a runtime, nor need them."""
    assert not HEAVY & _packages_loaded_by(module)


def test_the_core_needs_the_standard_library_only():
    """Core values can be read anywhere, without installing anything."""
    assert _packages_loaded_by(", ".join(CORE)) - sys.stdlib_module_names == {"autotuner"}
