from __future__ import annotations

import machines
import pytest

from autotuner.core.errors import StateError
from autotuner.daemon.service import ENABLED, UNITS, Service


class Manager:
    """A service manager that remembers what was asked of it; *active* units run."""

    def __init__(self, *active, fails=()):
        self.asked = []
        self._active = active
        self._fails = fails

    def __call__(self, *command):
        """Answer like the real programs."""
        self.asked.append(command)
        if command[0] in self._fails:
            return 1, "no"
        if command[:3] == ("systemctl", "is-active", "--quiet"):
            return (0 if command[3] in self._active else 3), ""
        return 0, "fine"


def files(root):
    """Return the contents of all files below *root*."""
    return {str(path.relative_to(root)): path.read_text() for path in _files(root)}


def _files(root):
    return [path for path in root.rglob("*") if path.is_file()]


def test_installing_writes_units_for_this_python(tmp_path):
    """Every one of them, and no placeholder is left."""
    said = list(Service(root=tmp_path, python="/opt/python", run=Manager()).install())
    written = files(tmp_path)
    assert {f"etc/systemd/system/{unit}" for unit in UNITS} < set(written)
    assert len(written) == len(UNITS) + 2
    assert "ExecStart=/opt/python -m" in written["etc/systemd/system/autotuned.service"]
    assert not any("@PYTHON@" in text for text in written.values())
    assert sum(line.startswith("Wrote ") for line in said) == len(written)


def test_installing_twice_changes_nothing(tmp_path):
    """And restarts nothing."""
    list(Service(root=tmp_path, run=Manager()).install())
    before = files(tmp_path)
    manager = Manager("autotuned.service")
    said = list(Service(root=tmp_path, run=manager).install())
    assert files(tmp_path) == before
    assert not any(line.startswith("Wrote") for line in said)
    assert ("systemctl", "restart", "autotuned.service") not in manager.asked


def test_another_version_is_renewed_and_the_daemon_restarted(tmp_path):
    """Jobs go on in the new one."""
    list(Service(root=tmp_path, run=Manager()).install())
    (tmp_path / "etc/systemd/system/autotuned.service").write_text("old")
    said = " ".join(Service(root=tmp_path, run=Manager()).status())
    assert "autotuned.service is of another version" in said
    manager = Manager("autotuned.service")
    list(Service(root=tmp_path, run=manager).install())
    assert ("systemctl", "restart", "autotuned.service") in manager.asked


def test_removing_leaves_no_file(tmp_path):
    """The machine's own state comes back first; removing twice says that nothing was there."""
    list(Service(root=tmp_path, run=Manager()).install())
    manager = Manager()
    service = Service(root=tmp_path, run=manager, restore=lambda: manager.asked.append("restore"))
    said = list(service.remove())
    assert _files(tmp_path) == []
    assert manager.asked[0] == "restore"
    assert manager.asked[1][:4] == ("systemctl", "disable", "--quiet", "--now")
    assert said[-1] == "Removed the group autotuner."
    assert "Nothing was installed." in Service(root=tmp_path, run=Manager()).remove()


def test_profiles_are_not_removed(tmp_path):
    """It says where they stay."""
    (tmp_path / "var/lib/autotuner").mkdir(parents=True)
    said = " ".join(Service(root=tmp_path, run=Manager()).remove())
    assert "Profiles and studies stay" in said
    assert (tmp_path / "var/lib/autotuner").is_dir()


def test_a_rival_is_named(tmp_path):
    """At installation and in the status, with what to do about it."""
    machines.write(tmp_path, {"proc/321/cmdline": "/usr/bin/python3\0/usr/sbin/tuned\0"})
    service = Service(root=tmp_path, run=Manager())
    for said in (service.install(), service.status()):
        (warning,) = [line for line in said if line.startswith("Warning")]
        assert "tuned: is running and sets clocks" in warning
        assert "systemctl disable --now tuned" in warning


def test_what_the_system_refuses_is_said(tmp_path):
    """With the command and its words."""
    service = Service(root=tmp_path, run=Manager(fails=("systemd-sysusers",)))
    with pytest.raises(StateError, match=r"systemd-sysusers.*no"):
        list(service.install())
    (tmp_path / "etc").rename(tmp_path / "old")
    (tmp_path / "etc").write_text("in the way")
    with pytest.raises(StateError, match="use sudo"):
        list(service.install())


def test_every_enabled_unit_says_where_it_belongs(tmp_path):
    """Else enabling it does nothing."""
    list(Service(root=tmp_path, run=Manager()).install())
    for unit in ENABLED:
        assert "[Install]" in (tmp_path / "etc/systemd/system" / unit).read_text()
