from __future__ import annotations

import os

import pytest

from autotuner.core.layer_profile import Counters
from autotuner.host import perf

COUNTED = """3000000,,instructions:u,1000000,100.00,1.50,insn per cycle
2000000,,cycles:u,1000000,100.00,,
6000,,cache-misses:u,1000000,100.00,,
"""
NO_MISSES = COUNTED.replace("6000", "<not supported>")
NOTHING = """<not supported>,,instructions:u,0,100.00,,
<not supported>,,cycles:u,0,100.00,,
<not counted>,,cache-misses:u,0,0.00,,
"""
FORBIDDEN = """Error:
Access to performance monitoring is limited.
Consider adjusting /proc/sys/kernel/perf_event_paranoid setting to open
"""


@pytest.mark.parametrize(
    ("said", "status", "expected"),
    [
        (COUNTED, 0, Counters(instructions_per_cycle=1.5, cache_misses=2.0)),
        (NO_MISSES, 0, Counters(instructions_per_cycle=1.5)),
        (NOTHING, 0, "the processor, or the virtual machine, does not let them be counted"),
        (
            FORBIDDEN,
            255,
            "perf is not allowed to: Access to performance monitoring is limited",
        ),
        ("", 129, "perf is not allowed to: it ended with status 129"),
    ],
    ids=["counted", "no misses", "no counters", "forbidden", "silent"],
)
def test_what_perf_says_becomes_figures_or_a_reason(said, status, expected):
    """A count that is missing is never zero."""
    assert perf.read(said, status) == expected


def test_a_machine_without_perf_says_what_to_install(monkeypatch):
    """Nothing is run then."""
    monkeypatch.setattr(perf.shutil, "which", lambda _: None)
    assert "install the package" in perf.count_while(lambda: None, os.getpid())
