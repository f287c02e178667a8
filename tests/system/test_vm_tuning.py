"""A whole run on clocks that a real kernel drives: slow, because the machine is emulated."""

from __future__ import annotations

import importlib.util
import json
import sys
import tarfile
from pathlib import Path

import pytest
from vm_rig.vm import boot

ROOT = Path(__file__).parents[2]
PACKED = (
    *("autotuner", "tests/faults.py", "tests/system/rig_runtime.py", "tests/system/vm_tuning.py"),
    *("tests/system/jetson_rig/__init__.py", "tests/system/jetson_rig/files.py"),
)
LIBRARIES = (
    *("alembic", "colorlog", "google", "mako", "markupsafe", "ml_dtypes", "numpy", "numpy.libs"),
    *("onnx", "optuna", "packaging", "psutil", "sqlalchemy", "tqdm", "typing_extensions.py"),
    "yaml",
)
LADDER = {"cpu1000MHz": 1000.0, "cpu1600MHz": 1600.0, "cpu2800MHz": 2800.0}

# From memory: through 9p every import costs seconds.
JOB = f"""
mkdir /tmp/here && cd /tmp/here && tar -xf /tmp/job/packed.tar
export PYTHONPATH=/tmp/here:/tmp/here/tests:/tmp/here/tests/system
export AUTOTUNE_STATE_DIR=/tmp/state AUTOTUNE_CACHE_DIR=/tmp/cache AUTOTUNE_LOCK=/tmp/lock
{Path(sys.executable).resolve()} tests/system/vm_tuning.py tiny.onnx >/tmp/job/found
"""


def needed(entry):
    """Leave out what no run reads."""
    return None if {"tests", "test", "include"} & set(Path(entry.name).parts[1:]) else entry


@pytest.fixture(scope="module")
def found(tmp_path_factory, tiny_model):
    """Search the frequencies inside; return what was found."""
    folder = tmp_path_factory.mktemp("vm") / "job"
    folder.mkdir()
    libraries = Path(importlib.util.find_spec("numpy").origin).parents[1]
    with tarfile.open(folder / "packed.tar", "w") as packed:
        for name in PACKED:
            packed.add(ROOT / name, name)
        for name in LIBRARIES:
            packed.add(libraries / name, name, filter=needed)
        packed.add(tiny_model, "tiny.onnx")
    ran = boot(folder, JOB, timeout_s=900.0)
    assert ran.status == 0, ran.said
    return json.loads((folder / "found").read_text())


@pytest.mark.soak
@pytest.mark.timeout(1000)
def test_the_frequency_is_searched_proven_and_put_back(found):
    """The kernel's clock is what each trial asked for, and the fastest one wins."""
    assert found["clock_mhz"].keys() >= {"schedutil", "cpu2800MHz"}
    for mode, clock_mhz in found["clock_mhz"].items():
        assert clock_mhz == pytest.approx(LADDER.get(mode, clock_mhz), rel=0.01), mode
    done = found["done"]
    assert (done["status"], done["proven"]) == ("ok", True)
    assert done["winner"]["config"]["power_mode"] == "cpu2800MHz"
    assert found["unchanged"]
