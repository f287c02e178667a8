"""Our reading of a pretended Jetson's files beside what the real jtop service makes of them."""

from __future__ import annotations

import json
import sys

import pytest
from jetson_rig.rig import Rig
from jetson_rig.stats import python_with_jtop
from rigs import need_programs, need_root

pytestmark = pytest.mark.alone

LOOK = """
import json, pathlib, statistics, sys, time
from autotuner.host.sensors import Sampler, discover, jtop
service = jtop.find(pathlib.Path("/"), pythons=sys.argv[1:])
names = lambda readings: {r.name: r.value for r in readings if r.value is not None}
with Sampler(discover().sensors) as sampler:
    deadline_s = time.monotonic() + 20.0
    while time.monotonic() < deadline_s and len(names(service.read())) < 5:
        time.sleep(0.1)
    time.sleep(1.5)
    now_ns = time.monotonic_ns()
    samples = sampler.between(now_ns - 10**9, now_ns)
    print(json.dumps({
        "ours": {
            name: statistics.fmean(s.values[name] for s in samples if name in s.values)
            for name in {name for s in samples for name in s.values}
        },
        "jtop": names(service.read()),
        "made_of": {r.name: r.made_of for r in sampler.latest() if r.made_of},
        "why": {r.name: r.why for r in sampler.latest() if r.why},
    }))
service.close()
"""
CLOSE = {"_c": 1.0, "_w": 0.05, "_mhz": 1.0, "_percent": 3.0}
"""How far apart two readings a second apart may be, by what the name ends with."""

TOTALS = {
    "orin-nano": ["power.VDD_IN_w"],
    "agx-orin": [
        "power.VDD_GPU_SOC_w",
        "power.VDD_CPU_CV_w",
        "power.VIN_SYS_5V0_w",
        "power.VDDQ_VDD2_1V8AO_w",
    ],
}
FAMILIES = ("cpu0.clock", "cpu0.util", "gpu.clock", "gpu.util", "power.", "temperature.")


@pytest.fixture(scope="module", params=TOTALS)
def rig(request, tmp_path_factory):
    """Return the running rig of a board, with the jtop service."""
    need_root()
    need_programs(unshare="util-linux", nsenter="util-linux", setpriv="util-linux")
    made = Rig(tmp_path_factory.mktemp(request.param) / "rig")
    made.board = request.param
    made.up(request.param, jtop_python=python_with_jtop())
    yield made
    made.down()


def look(rig, user):
    """Return what both show to *user*."""
    told = rig.run(sys.executable, "-c", LOOK, python_with_jtop(), user=user, capture_output=True)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


@pytest.mark.parametrize(("user", "gpu_demand"), [("edge", 0.2), (None, 0.9)])
def test_the_service_and_our_files_agree(rig, user, gpu_demand):
    """On clocks, load, power and temperature, at a low and at a high load."""
    rig.knob("gpu_demand", gpu_demand)
    found = look(rig, user)
    ours, service = found["ours"], found["jtop"]
    both = ours.keys() & service.keys()
    for family in FAMILIES:
        assert any(name.startswith(family) for name in both), (family, sorted(both))
    for name in both:
        allowed = next(bound for ending, bound in CLOSE.items() if name.endswith(ending))
        assert ours[name] == pytest.approx(service[name], abs=allowed), name
    assert found["made_of"]["power.total_w"] == TOTALS[rig.board]
    assert ("memory.clock_mhz" in ours) == (user is None)
    assert "memory.clock_mhz" in service
    if user:
        assert "Permission denied" in found["why"]["memory.clock_mhz"]


def test_the_check_up_of_a_board(rig):
    """It names the total rail and shows the service; a Jetson has no driver to install."""
    program = "import json; from autotuner import doctor; print(json.dumps(doctor.ask()))"
    told = rig.run(sys.executable, "-c", program, user="edge", capture_output=True)
    assert told.returncode == 0, told.stderr
    checks = json.loads(told.stdout)
    found = {check["name"]: check for check in checks}
    assert found["jetson"]["status"] == "ok"
    assert found["total power"]["detail"].startswith(" + ".join(TOTALS[rig.board]))
    assert found["nvml"]["status"] == "absent"
    assert (found["modes"]["status"], bool(found["modes"]["fix"])) == ("attention", True)
    notes = [check["detail"] for check in checks if check["name"] == "note"]
    assert any("need a reboot" in note for note in notes)
    assert found["jtop"]["status"] == "attention"
