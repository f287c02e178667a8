from __future__ import annotations

import pytest

from autotuner.active import Applied, Standing
from autotuner.core.errors import MachineError
from autotuner.daemon.boot import apply_at_boot
from autotuner.host.power import PowerError

APPLIED = Applied(
    profile="p",
    path="p.yaml",
    model="net",
    model_path="net.onnx",
    power_mode="present",
    by="root",
    since=0.0,
    boot_id="b",
)
GOOD = Standing(applied=APPLIED)
BAD = Standing(applied=APPLIED, differences=("clock was set to '2' and is '1'.",))


class Active:
    """A profile in force that goes through these outcomes when it is applied again."""

    def __init__(self, *outcomes):
        self._outcomes = list(outcomes)

    def reapply(self):
        """Return or raise the next outcome."""
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture
def sleeps():
    """Return the pauses that were made."""
    return []


def test_what_works_at_once_is_done_once(sleeps):
    """Without a pause; without a profile too."""
    assert apply_at_boot(Active(GOOD), sleep=sleeps.append) is GOOD
    assert apply_at_boot(Active(None), sleep=sleeps.append) is None
    assert sleeps == []


def test_a_driver_may_come_up_late(sleeps):
    """Whether it refuses or does not keep what it was told."""
    active = Active(PowerError("not yet"), BAD, GOOD)
    assert apply_at_boot(active, sleep=sleeps.append) is GOOD
    assert len(sleeps) == 2


def test_in_the_end_it_fails_and_says_why(sleeps):
    """With the last reason."""
    with pytest.raises(MachineError, match="clock was set"):
        apply_at_boot(Active(PowerError("not yet"), BAD), attempts=2, sleep=sleeps.append)
    assert len(sleeps) == 1
