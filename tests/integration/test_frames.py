"""Sweeps in a notebook: through the Python interface, as pandas frames."""

from __future__ import annotations

import pandas as pd
import pytest

import autotuner
from autotuner.core.errors import InputError


@pytest.fixture
def _own_place(tmp_path, monkeypatch):
    for name in ("STATE_DIR", "CACHE_DIR", "LOCK"):
        monkeypatch.setenv(f"AUTOTUNE_{name}", str(tmp_path / name.lower()))


@pytest.mark.usefixtures("_own_place")
def test_a_sweep_becomes_a_frame():
    """The example of the documentation, on a simulated device; units stand in the names."""
    found = autotuner.sweep(
        "inception-v2",
        {"batch_size": range(1, 5), "workers": (1, 2)},
        device="sim:jetson-tx2",
    )
    table = autotuner.frame(found).pivot_table(
        index="batch_size", columns="workers", values="throughput_ips"
    )
    assert isinstance(table, pd.DataFrame)
    assert table.shape == (4, 2)
    assert (table[1] > table[2]).all()


@pytest.mark.usefixtures("_own_place")
def test_bad_input_is_an_error_of_ours():
    """With what to do about it."""
    with pytest.raises(InputError, match="Say what to sweep"):
        autotuner.sweep("inception-v2", {})
