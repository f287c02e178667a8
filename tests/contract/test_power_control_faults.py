"""What goes wrong while clocks are set: the machine comes back, or what does not is named."""

from __future__ import annotations

import errno
import os

import power_machines
import pytest
from rigs import need_fuse

from autotuner.host.power import (
    PowerError,
    Switch,
    jetson,
    nvpmodel,
    offered,
    open_control,
    recover,
)
from autotuner.host.power.tool import alone

POLICY = f"{power_machines.CPU}/cpufreq/policy4"
MAXIMUM = f"{POLICY}/scaling_max_freq"
CONTIGUOUS = dict(enumerate(power_machines.MODES.values()))


@pytest.fixture
def sysfs(tmp_path):
    """Return a pretended ``/sys`` that fails on demand, with its mount point as ``root``."""
    need_fuse()
    from fuse_sysfs import FuseSysfs, mounted  # noqa: PLC0415 - needs libfuse

    made = FuseSysfs(power_machines.personal_computer())
    made.root = tmp_path / "root"
    made.root.mkdir()
    with mounted(made, made.root):
        yield made


@pytest.fixture
def board(tmp_path):
    """Return the root of a pretended Jetson."""
    return power_machines.jetson(tmp_path / "root")


@pytest.fixture
def switch(tmp_path):
    """Return a function that opens a control and a switch for it."""

    def make(root, **options):
        control = open_control(root, dvfs=True, settle_s=0.0, **options)
        return control, Switch(control, tmp_path / "power-journal.json", root=root)

    return make


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EIO, errno.EROFS])
def test_a_refused_write_is_undone_and_named(sysfs, switch, number):
    """What was written before it comes back, and the reason is the kernel's."""
    control, switch = switch(sysfs.root)
    before = control.current()
    sysfs.faults[MAXIMUM] = (number, 1)
    with switch, pytest.raises(PowerError, match=os.strerror(number)) as caught:
        switch.use("cpu800MHz")
    assert MAXIMUM in str(caught.value)
    assert control.current() == before


def test_a_node_that_stays_broken_is_named_and_tried_again(sysfs, switch, tmp_path):
    """All else comes back; the journal stays until the last setting is back."""
    control, switch = switch(sysfs.root)
    before = control.current()
    switch.use("cpu800MHz")
    sysfs.faults[MAXIMUM] = (errno.EIO, 1000)
    (left,) = switch.close()
    assert MAXIMUM in left
    assert {n for n, v in before.values.items() if sysfs.files[n] != v} == {MAXIMUM}
    sysfs.faults.clear()
    recover(tmp_path / "power-journal.json", root=sysfs.root)
    assert control.current() == before


def test_originals_of_a_failed_restore_are_not_forgotten(sysfs, switch):
    """The next run's originals are those of the machine, not what the failed run left."""
    control, first = switch(sysfs.root)
    before = control.current()
    first.use("cpu800MHz")
    sysfs.faults[MAXIMUM] = (errno.EIO, 1000)
    assert first.close()
    sysfs.faults.clear()
    with Switch(control, first._journal.path, root=sysfs.root) as second:
        second.use("performance")
    assert control.current() == before


def test_leaving_tells_what_was_not_restored(sysfs, switch):
    """As an error, since nobody else would say it."""
    _, switch = switch(sysfs.root)
    switch.use("cpu800MHz")
    sysfs.faults[MAXIMUM] = (errno.EIO, 1000)
    with pytest.raises(PowerError, match="scaling_max_freq"), switch:
        pass


def test_a_device_that_is_busy_for_a_moment_is_asked_again(sysfs, switch):
    """EBUSY passes."""
    control, switch = switch(sysfs.root)
    sysfs.faults[MAXIMUM] = (errno.EBUSY, 2)
    with switch:
        switch.use("cpu800MHz")
        assert control.current().values[MAXIMUM] == "800000"


def test_a_value_that_the_kernel_clamps_is_not_the_mode(sysfs, switch):
    """The write succeeded and means nothing: both numbers are told."""
    control, switch = switch(sysfs.root)
    before = control.current()
    sysfs.ceilings[MAXIMUM] = (800_000, 1)
    with switch, pytest.raises(PowerError, match=r"'1600000'.*made another.*'800000'"):
        switch.use("cpu1600MHz")
    assert control.current() == before


def test_a_vanished_node_is_named(sysfs, switch):
    """The others are restored."""
    control, switch = switch(sysfs.root)
    before = control.current()
    switch.use("cpu800MHz")
    sysfs.hidden.add(MAXIMUM)
    (left,) = switch.close()
    assert "vanished" in left
    sysfs.hidden.clear()
    assert {n for n, v in before.values.items() if sysfs.files[n] != v} == {MAXIMUM}


def test_what_cannot_be_read_is_not_set(sysfs, switch):
    """It could not be put back."""
    control, switch = switch(sysfs.root)
    sysfs.hidden.add(MAXIMUM)
    with switch, pytest.raises(PowerError, match="could not be undone"):
        switch.use("cpu800MHz")
    assert sysfs.writes == []
    assert "performance" in offered(control)


def test_without_permission_there_is_one_mode(sysfs):
    """And a sentence says what would be needed."""
    sysfs.read_only |= set(sysfs.files)
    control = open_control(sysfs.root, dvfs=True)
    assert offered(control) == ("present",)
    assert all("run as root" in sentence for sentence in control.explain())
    with pytest.raises(PowerError, match="run as root"):
        control.apply("performance", control.current())
    assert sysfs.writes == []


def test_limits_never_cross(sysfs, switch):
    """The lower one is at most the upper one at every moment, up and down."""
    control, switch = switch(sysfs.root)
    with switch:
        for mode in (*offered(control), *reversed(offered(control))):
            switch.use(mode)
    now = power_machines.personal_computer()
    for name, value in sysfs.writes:
        now[name] = value
        for first in power_machines.POLICIES:
            folder = f"{power_machines.CPU}/cpufreq/policy{first}"
            low, high = (int(now[f"{folder}/scaling_{end}_freq"]) for end in ("min", "max"))
            assert low <= high


def test_a_setting_that_somebody_else_takes_back_is_told(sysfs, switch):
    """A power daemon would spoil every trial."""
    _, switch = switch(sysfs.root)
    with switch:
        switch.use("performance")
        assert switch.undone() == ()
        sysfs.files[f"{POLICY}/scaling_governor"] = "powersave"
        (sentence,) = switch.undone()
    assert "policy4/scaling_governor was set to 'performance' and is 'powersave'" in sentence


@pytest.mark.parametrize(
    ("fault", "told"),
    [("chroot", "Running in chroot"), ("error", "status 255"), ("hang", "did not end within")],
)
def test_a_mode_that_nvpmodel_does_not_set_is_undone(board, switch, monkeypatch, fault, told):
    """Whatever its exit status: what reads back decides."""
    if fault == "hang":
        monkeypatch.setattr(nvpmodel, "_DEADLINE_S", 1.0)
    before = power_machines.snapshot(board)
    _, switch = switch(board)
    power_machines.break_nvpmodel(board, fault)
    with switch, pytest.raises(PowerError, match=told):
        switch.use("15W")
    assert power_machines.snapshot(board) == before


def test_what_nvpmodel_forgets_is_set_all_the_same(board, switch):
    """It keeps the number and leaves the clocks; the limits are written and read back here."""
    control, switch = switch(board)
    power_machines.break_nvpmodel(board, "half")
    with switch:
        switch.use("15W")
        assert control.current().values[f"{power_machines.GPU}/max_freq"] == "612000000"


def test_clocks_come_back_when_nvpmodel_fails_at_the_end(board, switch, tmp_path):
    """All but the mode's name; the next start brings that back too."""
    before = power_machines.snapshot(board)
    control, switch = switch(board)
    switch.use("MAXN_SUPER+max")
    power_machines.break_nvpmodel(board, "error")
    (left,) = switch.close()
    assert "nvpmodel did not set mode 1 (25W)" in left
    now = power_machines.snapshot(board)
    assert {name for name in now if now[name] != before[name]} == {"var/lib/nvpmodel/status"}
    (board / "fault").unlink()
    recover(tmp_path / "power-journal.json", root=board)
    assert power_machines.snapshot(board) == before
    assert control.restore(control.current()) == ()


def test_a_mode_that_disappears_is_undone(board, switch):
    """Somebody has installed another configuration meanwhile."""
    before = power_machines.snapshot(board)
    _, switch = switch(board)
    (board / "modes/0").unlink()
    with switch, pytest.raises(PowerError, match="15W"):
        switch.use("15W")
    assert power_machines.snapshot(board) == before


def test_a_configuration_that_disappears_is_named(board, switch):
    """Whatever was set meanwhile comes back."""
    before = power_machines.snapshot(board)
    _, switch = switch(board)
    (board / "etc/nvpmodel.conf").unlink()
    with switch, pytest.raises(PowerError, match="No such file"):
        switch.use("15W")
    assert power_machines.snapshot(board) == before


def test_a_tool_that_does_not_end_is_not_overtaken(board, switch, monkeypatch):
    """It holds its lock; the mode is not set, and the message says why."""
    monkeypatch.setattr(nvpmodel, "_DEADLINE_S", 0.1)
    _, switch = switch(board)
    with alone(board / "etc/nvpmodel.conf", 0.0), pytest.raises(PowerError) as caught:
        switch.use("15W")
    assert "another one does not end" in str(caught.value)
    assert switch.close() == ()


def test_a_mode_that_needs_a_reboot_is_never_set(board, switch):
    """It is listed where that was asked for, and explained otherwise."""
    control, switch = switch(board, allow_reboot_modes=True)
    assert "7W" in [mode.name for mode in control.modes()]
    assert "7W" not in offered(control)
    with switch, pytest.raises(PowerError, match="reboot"):
        switch.use("7W")
    shy = open_control(board)
    assert "7W" not in [mode.name for mode in shy.modes()]
    assert "7W" in " ".join(shy.explain())


@pytest.fixture
def guest(tmp_path, monkeypatch):
    """Return a function that opens a Jetson for who may ask jtop's pretended service only."""
    package = tmp_path / "client"
    package.mkdir()
    (package / "jtop.py").write_text(_PRETENDED_CLIENT)
    monkeypatch.setenv("PYTHONPATH", str(package))
    monkeypatch.setattr("autotuner.host.power.nodes.writable", lambda *_: False)

    def make(fault="", modes=CONTIGUOUS, deadline_s=60.0):
        root = power_machines.jetson(tmp_path / "root", modes)
        (root / "run").mkdir()
        (root / "run/jtop.sock").touch()
        monkeypatch.setenv("PRETENDED_ROOT", str(root))
        monkeypatch.setenv("PRETENDED_FAULT", fault)
        monkeypatch.setattr("autotuner.host.power.jtop._DEADLINE_S", deadline_s)
        return root, jetson.control(root, dvfs=True, allow_reboot_modes=True, settle_s=0.0)

    return make


_PRETENDED_CLIENT = """
import os, subprocess, time
ROOT, FAULT = os.environ.get("PRETENDED_ROOT"), os.environ.get("PRETENDED_FAULT")
class JtopException(Exception): pass
class Nvpmodel:
    id = None
    def is_running(self): return False
class jtop:
    def __init__(self, interval): self._mode = Nvpmodel()
    def __enter__(self):
        if FAULT == "absent": raise JtopException("The jtop.service is not active")
        if FAULT == "hangs": time.sleep(100)
        return self
    def __exit__(self, *_): pass
    def ok(self, spin=False): return True
    @property
    def nvpmodel(self): return self._mode
    @nvpmodel.setter
    def nvpmodel(self, number):
        if FAULT == "drops": return
        subprocess.run([ROOT + "/usr/sbin/nvpmodel", "-m", str(number)], check=True)
        self._mode.id = number
"""


def test_a_member_of_jtops_group_sets_whole_modes(guest):
    """Without a right to write anything; clocks that are pinned would stay so."""
    _, control = guest()
    before = control.current()
    assert offered(control) == ("25W", "15W", "MAXN_SUPER")
    control.apply("15W", before)
    assert control.current().values[f"{power_machines.GPU}/max_freq"] == "612000000"
    assert control.restore(before) == ()
    assert control.current() == before
    assert "root" in " ".join(control.explain())


@pytest.mark.parametrize(
    ("fault", "told"),
    [("absent", "not active"), ("hangs", "did not end within"), ("drops", "did not set")],
)
def test_a_service_that_does_nothing_is_told(guest, fault, told):
    """It hangs, is absent or drops the request: nothing has changed, nothing waits for ever."""
    _, control = guest(fault, deadline_s=1.0 if fault == "hangs" else 60.0)
    before = control.current()
    with pytest.raises(PowerError, match=told):
        control.apply("15W", before)
    assert control.restore(before) == ()
    assert control.current() == before


def test_jtop_is_not_asked_where_it_would_set_another_mode(guest):
    """It takes the place in the list for the number."""
    _, control = guest(modes=power_machines.MODES)
    assert offered(control) == ("present",)
    assert "run as root" in " ".join(control.explain())


def test_jtop_is_not_asked_where_it_could_not_restore(guest):
    """Limits of one's own belong to no mode."""
    root, _ = guest()
    (root / f"{power_machines.GPU}/min_freq".lstrip("/")).write_text("612000000\n")
    control = jetson.control(root, dvfs=False, allow_reboot_modes=False)
    assert offered(control) == ("present",)
    assert "put them back" in " ".join(control.explain())
