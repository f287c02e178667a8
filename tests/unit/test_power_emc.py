"""The memory controller's clock of a Jetson."""

from __future__ import annotations

import pytest
from power_machines import CAP, EMC, lay_out

from autotuner.host.power.emc import LOCK, EmcLock

HIGHEST = 3_199_000_000


@pytest.fixture
def memory(tmp_path):
    """Return a function that lays the clock out with a *cap* and returns it and its rate."""

    def make(cap):
        files = {LOCK: 0, f"{EMC}/rate": 665_600_000, f"{EMC}/max_rate": HIGHEST, CAP: cap}
        root = lay_out(tmp_path, files)
        return EmcLock(root), lambda: int((root / EMC.lstrip("/") / "rate").read_text())

    return make


@pytest.mark.parametrize(("cap", "rate"), [(2_133_000_000, 2_133_000_000), (0, HIGHEST)])
def test_the_rate_is_locked_at_the_highest_that_the_mode_allows(memory, cap, rate):
    """A cap of 0 is none."""
    lock, now = memory(cap)
    assert lock.write({LOCK: "1"}) == ()
    assert (lock.read(), now()) == ({LOCK: "1"}, rate)


def test_a_rate_that_is_locked_already_stays_what_it_is(memory):
    """Somebody chose it."""
    lock, now = memory(0)
    lock.write({LOCK: "1"})
    before = now()
    assert lock.write({LOCK: "1"}) == ()
    assert now() == before


def test_without_debugfs_there_is_nothing_to_lock(tmp_path):
    """Only root may read it."""
    lock = EmcLock(tmp_path)
    assert lock.read() == {}
    assert lock.write({}) == ()
