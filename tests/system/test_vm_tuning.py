"""A whole run on clocks that a real kernel drives: slow, because the machine is emulated."""

from __future__ import annotations

import json
import shutil

import pytest
from vm_rig.python import PREPARED, pack
from vm_rig.vm import boot

FILES = (
    *("autotuner", "tests/faults.py", "tests/system/rig_runtime.py", "tests/system/vm_tuning.py"),
    *("tests/system/jetson_rig/__init__.py", "tests/system/jetson_rig/files.py"),
)
LIBRARIES = (
    *("alembic", "colorlog", "google", "mako", "markupsafe", "ml_dtypes", "numpy", "numpy.libs"),
    *("onnx", "optuna", "packaging", "psutil", "sqlalchemy", "tqdm", "typing_extensions.py"),
    "yaml",
)
CLOCKS_MHZ = {"powersave": 1000.0, "cpu1600MHz": 1600.0, "cpu2800MHz": 2800.0}

JOB = f"""{PREPARED}
export AUTOTUNE_STATE_DIR=/tmp/state AUTOTUNE_CACHE_DIR=/tmp/cache AUTOTUNE_LOCK=/tmp/lock
$python tests/system/vm_tuning.py /tmp/job/tiny.onnx >/tmp/job/found
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory, tiny_model):
    """Search the frequencies inside; return what was found."""
    folder = tmp_path_factory.mktemp("vm") / "job"
    pack(folder, FILES, LIBRARIES)
    shutil.copy(tiny_model, folder)
    ran = boot(folder, JOB, timeout_s=900.0)
    assert ran.status == 0, ran.said
    return json.loads((folder / "found").read_text())


@pytest.mark.soak
@pytest.mark.timeout(1000)
def test_the_frequency_is_searched_proven_and_put_back(found):
    """The kernel's clock is what each trial asked for, and the fastest one wins."""
    assert found["clock_mhz"] == pytest.approx(CLOCKS_MHZ, rel=0.01)
    done = found["done"]
    assert (done["status"], done["proven"]) == ("ok", True)
    assert done["winner"]["config"]["power_mode"] == "cpu2800MHz"
    assert found["unchanged"]
