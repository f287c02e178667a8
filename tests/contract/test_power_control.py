"""What every power control must do, on pretended machines and on real ones.

Where ``AUTOTUNE_REAL_POWER`` is set the machine itself is meant, and nothing else.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import power_machines
import pytest
from rigs import need_fuse

from autotuner.host.power import PRESENT, PowerError, Switch, held, offered, open_control, recover

REAL = "AUTOTUNE_REAL_POWER" in os.environ
KINDS = ("real",) if REAL else ("files", "jetson", "fuse")


@dataclass(frozen=True)
class Machine:
    """*root* is where its ``/sys`` is, *journal* where originals go."""

    root: Path
    journal: Path
    settle_s: float = 2.0

    def control(self):
        """Open the machine's control with all that it offers."""
        return open_control(self.root, dvfs=True, allow_reboot_modes=True, settle_s=self.settle_s)


@contextmanager
def built(kind, folder):
    """Yield the machine of a *kind*."""
    journal = folder / "power-journal.json"
    if kind == "real":
        yield Machine(Path("/"), journal)
        return
    root = folder / "root"
    root.mkdir()
    files = power_machines.personal_computer() | power_machines.gpu()
    links = [("/sys/class/devfreq/17000000.gpu", power_machines.GPU)]
    if kind == "files":
        power_machines.lay_out(root, files, links)
        yield Machine(root, journal, settle_s=0.0)
    elif kind == "jetson":
        power_machines.jetson(root)
        yield Machine(root, journal, settle_s=0.0)
    else:
        from fuse_sysfs import FuseSysfs, mounted  # noqa: PLC0415 - needs libfuse

        names = {name: name.replace(power_machines.GPU, links[0][0]) for name in files}
        with mounted(FuseSysfs({names[n]: value for n, value in files.items()}), root):
            yield Machine(root, journal)


@pytest.fixture(params=KINDS)
def machine(request, tmp_path):
    """Return a machine in a state of its own."""
    if request.param == "fuse":
        need_fuse()
    with built(request.param, tmp_path) as made:
        yield made


def changed(control, base):
    """Return the settings that differ from *base*."""
    now = control.current().values
    return {name for name in now | base.values if now.get(name) != base.values.get(name)}


def another(control):
    """Return the names of usable modes that the machine is not in."""
    return offered(control)[1:]


def test_modes_have_names_of_their_own(machine):
    """They are the values of a dimension."""
    names = [mode.name for mode in machine.control().modes()]
    assert len(names) == len(set(names)) >= 3


def test_what_is_offered_begins_with_the_present_mode(machine):
    """It is the baseline's, by the platform's name where it has one."""
    control = machine.control()
    names = offered(control)
    present = [mode.name for mode in control.modes() if mode.present]
    assert names[0] == (present[0] if present else PRESENT)
    assert set(names[1:]).isdisjoint(present)


def test_opening_and_looking_writes_nothing(machine):
    """Doctor and dry runs do no more."""
    control = machine.control()
    base = control.current()
    control.modes()
    control.explain()
    assert machine.control().current() == base


def test_every_usable_mode_reads_back_and_leaves_no_trace(machine):
    """Each after another one: only its own settings differ from the machine's own."""
    control = machine.control()
    base = control.current()
    settings = {mode.name: mode.settings for mode in control.modes()}
    for name in another(control):
        control.apply(name, base)
        now = control.current().values
        assert {key: now[key] for key in settings[name]} == dict(settings[name]), name
        assert changed(control, base) <= settings[name].keys(), name
    assert control.restore(base) == ()
    assert control.current() == base


def test_the_present_mode_changes_nothing(machine):
    """Whatever it is called."""
    control = machine.control()
    base = control.current()
    for name in (PRESENT, offered(control)[0]):
        control.apply(name, base)
        assert control.current() == base


def test_restoring_twice_does_no_harm(machine):
    """A guardian and the next start may both do it."""
    control = machine.control()
    base = control.current()
    control.apply(another(control)[0], base)
    assert control.restore(base) == control.restore(base) == ()
    assert control.current() == base


def test_a_mode_that_is_not_there_is_refused_before_anything_is_written(machine):
    """The message says what there is."""
    control = machine.control()
    base = control.current()
    with pytest.raises(PowerError, match=another(control)[0].replace("+", r"\+")):
        control.apply("4kW", base)
    assert control.current() == base


def test_what_cannot_be_restored_is_said(machine):
    """By its name and value."""
    control = machine.control()
    base = control.current()
    stranger = type(base)(values={**base.values, "/sys/gone": "7"})
    (sentence,) = control.restore(stranger)
    assert "/sys/gone" in sentence
    assert "'7'" in sentence


def test_originals_are_on_disk_before_the_first_change(machine):
    """And gone with the last restored one."""
    control = machine.control()
    base = control.current()
    with Switch(control, machine.journal, root=machine.root) as switch:
        assert not machine.journal.exists()
        switch.use(another(control)[0])
        assert json.loads(machine.journal.read_text())["values"] == dict(base.values)
    assert not machine.journal.exists()
    assert control.current() == base


def test_the_machine_comes_back_when_the_body_fails(machine):
    """Whatever was raised goes on."""
    control = machine.control()
    base = control.current()
    mode = another(control)[-1]
    with pytest.raises(ZeroDivisionError), held(control, mode, machine.journal, root=machine.root):
        raise ZeroDivisionError(control.current() == base)
    assert control.current() == base


def test_a_killed_run_is_undone_at_the_next_start(machine):
    """From the journal alone, by a control that is opened then; there is nothing more to do."""
    control = machine.control()
    base = control.current()
    left = Switch(control, machine.journal, root=machine.root)
    left._journal.claim(0.0)
    left._journal.write(base)
    left._journal.release()
    control.apply(another(control)[0], base)
    (said,) = recover(machine.journal, root=machine.root)
    assert "is back" in said
    assert control.current() == base
    assert recover(machine.journal, root=machine.root) == ()
