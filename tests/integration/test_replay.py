from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def tables(monkeypatch):
    """Return the benchmark's module of tables."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import tables  # noqa: PLC0415

    return tables


def test_every_table_has_an_optimum_within_its_budget(tables):
    """Regret is zero for exactly what is best, one for what breaks the budget or fails."""
    for table in tables.development():
        regret = table.regret()
        assert regret.min() == 0.0
        assert np.all(regret[table.failed] == 1.0)
        assert np.all(regret[table.excess() > 0.02] == 1.0)


def test_held_out_tables_are_no_development_tables(tables):
    """No table is in both sets, and another draw gives other tables."""
    names = [
        {table.name for table in drawn}
        for drawn in (tables.development(), tables.held_out(), tables.held_out(1))
    ]
    assert not names[0] & names[1]
    assert not names[1] & names[2]


def test_the_replay_prints_a_line_for_every_contender():
    """The program runs as its help says, and reports all the figures."""
    command = [sys.executable, str(BENCHMARKS / "replay.py"), "--seeds", "1", "--trials", "20"]
    done = subprocess.run(
        [*command, "--samplers", "climb"], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert "trials to 5/3/1 %" in lines[0]
    assert lines[-1].split()[:2] == ["climb", "24"]
