"""A real kernel's cpufreq: applied at boot, verified with its rounding, back after a power cut."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import psutil
import pytest
import rigs
import yaml

import autotuner
from autotuner.daemon.service import Service

HERE = Path(__file__).parent
PYTHON = "/usr/bin/python3"
STORY = """
import json, subprocess, sys
from pathlib import Path
sys.path.insert(0, "/opt/tests")
from made_profiles import proven
from autotuner import store
from autotuner.active import on_this_box

POLICY = Path("/sys/devices/system/cpu/cpufreq/policy0")
def show(name):
    command = ["systemctl", "show", "--value", "--property=" + name, "autotuner-apply.service"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()

box = on_this_box()
model = Path("/opt/net.onnx")
model.touch()
standing = box.standing()
told = {
    "active": show("ActiveState"),
    "status": show("StatusText"),
    "verified": standing.verified if standing else None,
    "governor": (POLICY / "scaling_governor").read_text().strip(),
    "max_khz": (POLICY / "scaling_max_freq").read_text().strip(),
}
mode = sys.argv[1] if len(sys.argv) > 1 else None
if mode:
    box.apply(str(store.write(proven(model, mode=mode), Path("/root/p.yaml"))), by="root")
    told["max_khz_then"] = (POLICY / "scaling_max_freq").read_text().strip()
    told["kept"] = json.loads(Path("/var/lib/autotuner/applied-power.json").read_text())["values"]
print(json.dumps(told), flush=True)
if mode == "cpu1200MHz":
    subprocess.run(["sync"])
    subprocess.run(["sleep", "60"])
"""

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def boot(tmp_path_factory):
    """Return how to boot the same machine again and again and hear what it tells."""
    rigs.need_root()
    rigs.need_programs(**{"qemu-system-x86_64": "qemu-system-x86", "iasl": "acpica-tools"})
    folder = tmp_path_factory.mktemp("vm")
    overlay = folder / "overlay"
    packages = overlay / "usr/lib/python3/dist-packages"
    for package in (autotuner, yaml, psutil):
        source = Path(package.__file__).parent
        ignored = shutil.ignore_patterns("__pycache__", "_data", "tests")
        shutil.copytree(source, packages / source.name, ignore=ignored)
    (overlay / "opt/tests").mkdir(parents=True)
    shutil.copy(HERE.parent / "made_profiles.py", overlay / "opt/tests")
    (overlay / "opt/story.py").write_text(STORY)
    list(Service(root=overlay, python=PYTHON, run=lambda *_: (0, "")).install())
    wants = overlay / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir()
    (wants / "autotuner-apply.service").symlink_to("../autotuner-apply.service")

    def run(*arguments, cut_s=None):
        command = [HERE / "boot_rig.sh", "--rig", "vm", "--state", folder / "disk"]
        command += ["--overlay", overlay, *(["--cut", str(cut_s)] if cut_s else [])]
        command += ["--", PYTHON, "/opt/story.py", *arguments]
        cache = {**os.environ, "BOOT_RIG_CACHE": str(rigs.CACHE / "boot")}
        done = subprocess.run(command, env=cache, capture_output=True, text=True, check=False)
        assert done.returncode == (98 if cut_s else 0), done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_a_profile_survives_a_power_cut(boot):
    """It is in force at the next boot, and what is kept to be put back is the machine's own."""
    first = boot("performance")
    assert (first["active"], first["verified"]) == ("inactive", None)
    own = first["governor"]
    second = boot("cpu1200MHz", cut_s=20)
    assert (second["active"], second["governor"]) == ("active", "performance")
    assert second["verified"]
    assert own in second["kept"].values()
    assert second["max_khz_then"] == "1200000"
    third = boot()
    assert (third["active"], third["max_khz"]) == ("active", "1200000")
    assert third["verified"]
    assert third["governor"] == own
