"""A real systemd: the service installed, booted, killed, hung, stopped and removed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import rigs
from machines import processors
from power_machines import CPU, lay_out, personal_computer

from autotuner.daemon.service import Service

pytestmark = pytest.mark.soak

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
RIVAL = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
CONSUMER = (
    "[Unit]\nAfter=autotuner-apply.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
    "EnvironmentFile=/run/autotuner/active/autotune.env\n"
    "ExecStart=/bin/sh -c 'echo batch $AUTOTUNE_BATCH_SIZE'\n"
    "[Install]\nWantedBy=multi-user.target\n"
)


class Box:
    """One box that is booted again and again: its disk stays, its clocks start anew."""

    def __init__(self, folder, model):
        self.folder = folder
        self.overlay = folder / "overlay"
        self.overlay.mkdir()
        (self.overlay / "opt").mkdir()
        shutil.copy(model, self.overlay / "opt/net.onnx")
        units = self.overlay / "etc/systemd/system"
        units.mkdir(parents=True)
        (units / "consumer.service").write_text(CONSUMER)
        (units / "tlp.service").write_text(RIVAL)
        if REPOSITORY.is_relative_to("/tmp"):  # the unit has a /tmp of its own, without this code
            drop_in = self.overlay / "usr/lib/systemd/system/autotuner-apply.service.d"
            drop_in.mkdir(parents=True)
            (drop_in / "checkout.conf").write_text("[Service]\nPrivateTmp=no\n")

    @property
    def cpu(self):
        """The folder that the box sees as its CPUs."""
        return self.folder / "root" / CPU.lstrip("/")

    def governor(self):
        """Return the governor in force."""
        return (self.cpu / "cpufreq/policy0/scaling_governor").read_text().strip()

    def boot(self, story, *, wait_s=120, change=None):
        """Boot, run one function of the stories inside, power off; return what it told.

        *change* alters the box's clock files before.
        """
        shutil.rmtree(self.folder / "root", ignore_errors=True)
        lay_out(
            self.folder / "root",
            {**processors(os.cpu_count()), **personal_computer()},
        )
        if change:
            change()
        command = [HERE / "boot_rig.sh", "--overlay", self.overlay, "--state", self.folder / "disk"]
        command += ["--fake-cpu", self.cpu, "--timeout", str(wait_s)]
        for seen in {REPOSITORY, Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve()}:
            command += ["--bind", seen]
        command += ["--", sys.executable, HERE / "boot_stories.py", story]
        cache = {**os.environ, "BOOT_RIG_CACHE": str(rigs.CACHE / "boot")}
        done = subprocess.run(
            command, env=cache, capture_output=True, text=True, timeout=wait_s + 600, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def box(tmp_path_factory, tiny_model):
    """Install the service on a fresh box and apply a profile there."""
    rigs.need_root()
    rigs.need_programs(debootstrap="debootstrap", **{"systemd-nspawn": "systemd-container"})
    return Box(tmp_path_factory.mktemp("box"), tiny_model)


@pytest.fixture(scope="module")
def installed(box):
    """Return what the installation told."""
    return box.boot("install")


@pytest.fixture(scope="module")
def booted(box, installed):  # noqa: ARG001 - it comes first
    """Return what the next boot showed, and the governor then."""
    told = box.boot("look_after_boot")
    return {**told, "governor": box.governor()}


def test_installing_again_changes_nothing(installed):
    """And every unit is enabled."""
    assert "Wrote /etc/systemd/system/autotuned.service." in installed["first"]
    assert "Wrote" not in installed["second"]
    assert installed["enabled"] == ["enabled"] * 4


def test_the_units_are_beyond_reproach(installed):
    """``systemd-analyze verify`` says nothing at all."""
    assert installed["verify"] == ""


def test_a_rival_is_named(installed):
    """With what to do about it; it is not stopped behind anybody's back."""
    assert "Warning: TLP: is switched on and sets clocks" in installed["first"]
    assert "systemctl disable --now tlp" in installed["first"]
    assert installed["rival"] == "active"


def test_the_profile_is_in_force_after_a_boot(booted):
    """Set, read back, and known as such before the daemon serves."""
    assert booted["governor"] == "performance"
    assert booted["applied"]["verified"]
    assert booted["apply_unit"] == "active"
    assert "is in force, verified" in booted["apply_status"]
    assert "is in force, verified" in booted["journal"]


def test_other_units_get_the_tuned_values(booted):
    """From the environment file, at boot."""
    assert "batch 4" in booted["consumer"]


def test_the_order_at_boot_is_that_of_the_vendor_first(booted):
    """What sets clocks goes before us, the daemon after."""
    after = booted["after"].split()
    assert {"nvpmodel.service", "jetson_clocks.service", "nvidia-persistenced.service"} <= set(
        after
    )
    assert "autotuned.service" in booted["before"]


def test_the_profile_is_in_force_again_after_a_sleep(booted):
    """The unit that the suspend targets want applies it once more."""
    assert booted["resumed"] == "performance"


def test_only_the_group_gets_in(booted):
    """Outside nobody can even watch; inside one can."""
    assert "Permission denied" in booted["outsider"]
    assert booted["member"]["user"] == "member"
    assert booted["member"]["may"] == ["watch", "submit", "apply"]


@pytest.fixture(scope="module", params=[3, pytest.param(50, marks=pytest.mark.timeout(1800))])
def killed(request, box, booted):  # noqa: ARG001 - it comes first
    """Return what a subscriber heard of searches whose daemon was killed again and again."""
    return box.boot(f"kill_{request.param}", wait_s=120 + 15 * request.param)


def test_the_job_survives_its_daemon(request, killed):
    """Events follow each other without a gap, and each search ends with its result."""
    for numbers in killed["numbers"]:
        assert numbers == list(range(len(numbers)))
    assert set(killed["endings"]) == {"ok"}
    assert killed["restarts"] == killed["kills"] == request.node.callspec.params["killed"]


def test_no_finished_trial_is_told_twice(killed):
    """A search that is fresh goes on with what it has found, too."""
    for numbers in killed["trials"]:
        assert len(numbers) == len(set(numbers))


def test_the_power_state_is_back_at_once(killed):
    """What a trial had set is undone within a second of the kill, by the job's guardian."""
    assert killed["changed"] > 0
    assert killed["restored_s"] < 1.0


def test_nothing_else_is_lost(killed):
    """The profile stays in force; nobody else's process is left behind."""
    assert killed["applied"]["verified"]
    assert killed["left"] == []


@pytest.fixture(scope="module")
def stopped(box, booted):  # noqa: ARG001 - it comes first
    """Return how the daemon fared when it hung and when it was told to stop."""
    return box.boot("hang_and_stop")


def test_a_hung_daemon_is_started_again(stopped):
    """By the watchdog, which only the loop feeds; the job goes on."""
    assert stopped["result"] == "watchdog"
    assert stopped["numbers"] == list(range(len(stopped["numbers"])))


def test_it_stops_when_told(stopped):
    """Within five seconds, in mid-search too, leaving no process; the next daemon goes on."""
    assert stopped["stop_s"] < 5.0
    assert stopped["left"] == []
    assert stopped["state"] in {"queued", "running"}


def test_a_write_that_fails_is_loud(box, booted):  # noqa: ARG001 - it comes first
    """The unit has failed, the system is degraded, and the reason stands in the status."""

    def forgetful_governor():
        for path in box.cpu.glob("cpufreq/policy*/scaling_governor"):
            path.unlink()
            path.symlink_to("/dev/null")

    told = box.boot("look_after_failure", change=forgetful_governor)
    assert told["apply_unit"] == "failed"
    assert told["system"] == "degraded"
    assert "'performance' was not reached" in told["journal"]
    assert told["daemon"] == "active"


def test_removing_leaves_nothing(box, booted):  # noqa: ARG001 - it comes first
    """But the profiles, as it says; the machine's own state is back."""
    told = box.boot("remove")
    assert (told["found"], told["group"]) == ([], "")
    assert "Profiles and studies stay" in told["said"]
    assert box.governor() == "schedutil", told


@pytest.mark.parametrize(
    ("unit", "drop_in", "most"),
    [
        ("autotuned.service", None, 2.0),
        ("autotuned.service", "metrics.conf", 2.0),
        ("autotuned.service", "nvidia.conf", 2.0),
        ("autotuner-apply.service", None, 1.0),
        ("autotuner-apply.service", "nvidia.conf", 2.0),
    ],
)
def test_units_are_hardened(tmp_path, unit, drop_in, most):
    """The exposure that systemd finds in them is at most this; lower is better."""
    rigs.need_programs(**{"systemd-analyze": "systemd"})
    list(Service(root=tmp_path, run=lambda *_: (0, "")).install())
    path = tmp_path / "etc/systemd/system" / unit
    if drop_in:
        added = (REPOSITORY / "systemd/drop-ins" / drop_in).read_text()
        path.write_text(path.read_text().replace("\n[Install]", f"\n{added}\n[Install]"))
    command = ["security", "--offline=yes", f"--threshold={most * 10:.0f}", "--no-pager"]
    analyze = shutil.which("systemd-analyze")
    done = subprocess.run([analyze, *command, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr
