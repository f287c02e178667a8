"""One clock and its limits."""

from __future__ import annotations

import pytest
from power_machines import lay_out

from autotuner.host.power import PRESENT
from autotuner.host.power.clocks import ClockDomain
from autotuner.host.power.control import KnobControl

TABLE = (600, 1200, 1800)


@pytest.fixture
def clock(tmp_path):
    """Return a clock at 600 between 600 and 1800."""
    lay_out(tmp_path, {"/min": 600, "/max": 1800, "/now": 600})
    return ClockDomain(
        root=tmp_path,
        what="the clock",
        minimum="/min",
        maximum="/max",
        frequency="/now",
        table=TABLE,
        unit_hz=1,
    )


@pytest.mark.parametrize(
    ("name", "wanted", "found", "agrees"),
    [
        ("/max", "1500", "1200", True),  # rounded down
        ("/max", "1500", "1800", False),
        ("/min", "1100", "1200", True),  # rounded up
        ("/min", "1100", "600", False),
        ("/max", "9999", "1800", True),  # no cap
        ("/min", "0", "600", True),
        ("/max", "1200", None, False),
        ("/max", "1200", "", False),
    ],
)
def test_what_the_kernel_may_round_to(clock, name, wanted, found, agrees):
    """Upper limits down, lower limits up, and nothing else."""
    assert clock.agrees(name, wanted, found) is agrees


def test_without_a_table_only_the_same_value_agrees(clock, tmp_path):
    """There is nothing to round to."""
    free = ClockDomain(
        root=tmp_path,
        what="the clock",
        minimum="/min",
        maximum="/max",
        frequency="/now",
        unit_hz=1,
    )
    assert free.agrees("/max", "1200", "1200")
    assert not free.agrees("/max", "1500", "1200")
    assert clock.agrees("/max", "1500", "1200")


@pytest.mark.parametrize(
    ("now", "settled"), [(0, True), (300, False), (600, True), (1800, True), (2400, False)]
)
def test_a_clock_has_settled_within_its_limits(clock, tmp_path, now, settled):
    """A governor moves it between them; a device that is switched off has none."""
    lay_out(tmp_path, {"/now": now})
    assert clock.settled() is settled


def test_a_clock_that_cannot_be_read_is_not_waited_for(clock, tmp_path):
    """It would be for ever."""
    (tmp_path / "now").unlink()
    assert clock.settled()


def test_clocks_that_do_not_follow_are_told(clock, tmp_path):
    """After a while; the mode is set all the same."""
    lay_out(tmp_path, {"/now": 2400})
    waited = []
    control = KnobControl([clock], [], settle_s=1.0, pause=waited.append)
    (note,) = control.apply(PRESENT, control.current())
    assert "did not follow" in note
    assert sum(waited) == pytest.approx(1.0)


def test_clocks_that_follow_are_not_waited_for_longer(clock, tmp_path):
    """A moment is enough."""
    lay_out(tmp_path, {"/now": 2400})
    control = KnobControl([clock], [], pause=lambda _: lay_out(tmp_path, {"/now": 1800}))
    assert control.apply(PRESENT, control.current()) == ()


def test_only_what_differs_is_written(clock, tmp_path):
    """Another process may watch the file."""
    (tmp_path / "min").chmod(0o444)
    written = (tmp_path / "min").stat().st_mtime_ns
    assert clock.write({"/min": "600", "/max": "1200"}) == ()
    assert (tmp_path / "min").stat().st_mtime_ns == written
    assert clock.read() == {"/min": "600", "/max": "1200"}
