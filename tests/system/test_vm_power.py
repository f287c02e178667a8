"""Power control on clocks that a real kernel drives."""

from __future__ import annotations

import json

import pytest
from vm_rig.python import PREPARED, pack
from vm_rig.vm import boot

pytestmark = pytest.mark.timeout(900)

FILES = (
    *("autotuner/__init__.py", "autotuner/durable.py", "autotuner/core", "autotuner/host/power"),
    *("autotuner/host/__init__.py", "autotuner/host/guardian.py"),
    *("tests/rigs.py", "tests/power_machines.py", "tests/power_run.py", "tests/power_kills.py"),
    *("tests/contract/test_power_control.py", "tests/system/vm_power.py"),
)
SUITE = ("pytest", "_pytest", "py.py", "pluggy", "iniconfig", "packaging", "pygments")

JOB = f"""{PREPARED}
export AUTOTUNE_REAL_POWER=1 PYTEST_DISABLE_PLUGIN_AUTOLOAD=1
suite="-m pytest -q -p no:cacheprovider --tb=short"
$python $suite tests/contract/test_power_control.py >/tmp/job/contract 2>&1
$python tests/system/vm_power.py >/tmp/job/found
$python tests/power_kills.py /tmp/power-journal.json 1 3 >/tmp/job/kills
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Boot once, do all that is to be tried, and return the folder with what was written."""
    folder = tmp_path_factory.mktemp("vm") / "job"
    pack(folder, FILES, SUITE)
    ran = boot(folder, JOB, timeout_s=600.0)
    assert ran.status == 0, ran.said + (folder / "kills").read_text()
    return folder


@pytest.fixture(scope="module")
def found(machine):
    """Return what was found on the machine."""
    return json.loads((machine / "found").read_text())


def test_the_contract_holds_on_the_kernels_own_clocks(machine):
    """acpi-cpufreq and devfreq, with all modes that they make."""
    said = (machine / "contract").read_text()
    assert "11 passed" in said, said


def test_what_is_offered_is_what_the_drivers_have(found):
    """The governors and the ladders of both clocks."""
    assert found["offered"] == [
        "schedutil",
        "performance",
        "ondemand",
        "powersave",
        *(f"cpu{mhz}MHz" for mhz in (1000, 1600, 2200, 2800)),
        *(f"gpu{mhz}MHz" for mhz in (300, 600, 900, 1200)),
    ]


def test_the_kernel_rounds_as_we_expect(found):
    """Its write never fails, whatever the limit; it takes a moment until the limit reads back."""
    for asked, kept, expected, said in found["rounding"]:
        assert (kept, said) == (expected, []), asked


def test_a_clock_that_does_not_move_is_told(found):
    """By the error of the write, or by the clock itself where the kernel keeps the error."""
    said = found["gpu"]["said"]
    assert "Input/output error" in said or "did not follow" in said
    assert found["gpu"]["back"]


def test_a_speed_set_by_hand_comes_back(found):
    """The governor is set first, because without it the speed cannot be."""
    assert found["userspace"]
    assert found["unchanged"]


def test_the_clocks_come_back_when_the_job_is_killed(machine):
    """By its guardian."""
    assert len(json.loads((machine / "kills").read_text())) == 1
