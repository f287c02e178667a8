"""The originals on disk, and what becomes of them."""

from __future__ import annotations

import json

import pytest

from autotuner.core.errors import StateError
from autotuner.host.power import NullControl, PowerError, State, recovery
from autotuner.host.power.journal import Journal
from autotuner.host.power.recovery import put_back, recover

KEPT = State(values={"nvpmodel": "1", "/sys/max_freq": "7"})


class Recorder(NullControl):
    """A control that restores whatever it is given."""

    def __init__(self, problems=()):
        super().__init__("it only records")
        self.restored = []
        self.problems = problems

    def restore(self, state):
        """Remember *state*."""
        self.restored.append(state)
        return self.problems


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """Have no kernel to wait for."""
    monkeypatch.setattr(recovery, "_TAKEN_OVER_S", 0.0)


@pytest.fixture
def journal(tmp_path):
    """Return an empty journal of this boot."""
    return Journal(tmp_path / "power-journal.json", boot_id="this")


@pytest.fixture
def control():
    """Return a control that remembers what it restored."""
    return Recorder()


def test_what_is_kept_is_read(journal):
    """With whether it is of this boot."""
    assert journal.read() is None
    journal.write(KEPT)
    assert journal.read() == (KEPT, True)
    assert Journal(journal.path, boot_id="another").read() == (KEPT, False)
    journal.remove()
    journal.remove()
    assert journal.read() is None


def test_a_journal_of_this_boot_is_restored_and_forgotten(journal, control):
    """And it is said once."""
    journal.write(KEPT)
    (said,) = put_back(journal, lambda: control)
    assert "is back" in said
    assert control.restored == [KEPT]
    assert put_back(journal, lambda: control) == ()


def test_of_another_boot_only_what_outlives_boots_is_restored(journal, control):
    """The kernel has forgotten the rest; nvpmodel applies its last mode at every boot."""
    Journal(journal.path, boot_id="earlier").write(KEPT)
    assert put_back(journal, lambda: control) == ()
    assert control.restored == [State(values={"nvpmodel": "1"})]
    assert journal.read() is None


def test_what_is_not_back_stays_in_the_journal(journal):
    """The next start tries again, and the way out is told."""
    journal.write(KEPT)
    first, again = put_back(journal, lambda: Recorder(("/sys/max_freq is stuck.",)))
    assert first == "/sys/max_freq is stuck."
    assert str(journal.path) in again
    assert journal.read() == (KEPT, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"{}",
        b'{"schema": "1"}',
        b'{"schema": 1, "values": {"a": 1}}',
    ],
)
def test_a_damaged_journal_is_moved_aside_and_told(journal, control, content):
    """Its name is told, so that somebody may look into it."""
    journal.path.write_bytes(content)
    (said,) = put_back(journal, lambda: control)
    (aside,) = journal.path.parent.glob("*.damaged-*")
    assert str(aside) in said
    assert aside.read_bytes() == content
    assert control.restored == []
    assert put_back(journal, lambda: control) == ()


def test_a_newer_journal_is_refused(journal, control):
    """The one who wrote it understands it."""
    journal.path.write_text(json.dumps({"schema": 99, "values": {}}))
    with pytest.raises(StateError, match="newer edge-autotune"):
        put_back(journal, lambda: control)
    assert journal.path.exists()


def test_only_one_changes_the_machine(journal):
    """Another one waits or is told; when the first lets go, it may."""
    other = Journal(journal.path)
    journal.claim(0.0)
    with pytest.raises(PowerError, match="Another process"):
        other.claim(0.0)
    journal.release()
    journal.release()
    other.claim(0.0)
    other.release()


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    """Before anything is changed."""
    journal = Journal(tmp_path / "missing/power-journal.json")
    with pytest.raises(StateError, match="AUTOTUNE_STATE_DIR"):
        journal.claim(0.0)
    with pytest.raises(StateError, match="no power mode is set"):
        journal.write(KEPT)


def test_a_machine_that_was_never_tuned_has_nothing_to_recover(tmp_path):
    """And no folder is made for it."""
    assert recover(tmp_path / "missing/power-journal.json", root=tmp_path) == ()
    assert list(tmp_path.iterdir()) == []
