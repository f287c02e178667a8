"""Counting by perf, a program in its place: the real one may be forbidden here, or missing."""

from __future__ import annotations

import os

import pytest

from autotuner.core.layer_profile import Counters
from autotuner.host import perf

ALLOWED = "3000000,,instructions:u,1,100.00,,\n2000000,,cycles:u,1,100.00,,\n"
FORBIDDEN = "Error:\nNo permission to enable instructions:u event.\n"


@pytest.mark.parametrize(
    ("said", "status", "expected"),
    [
        (ALLOWED, 0, Counters(instructions_per_cycle=1.5)),
        (FORBIDDEN, 255, "perf is not allowed to: No permission to enable instructions:u event"),
    ],
    ids=["allowed", "forbidden"],
)
def test_work_goes_on_for_as_long_as_perf_counts(monkeypatch, tmp_path, said, status, expected):
    """The program ends when the work was done three times; it is asked about this process."""
    done, asked = tmp_path / "done", tmp_path / "asked"
    (tmp_path / "perf").write_text(
        f'#!/bin/sh\necho "$@" > {asked}\n'
        f"until [ -e {done} ]; do sleep 0.01; done\n"
        f"printf '{said}' >&2\nexit {status}\n"
    )
    (tmp_path / "perf").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    times = 0

    def work():
        nonlocal times
        times += 1
        if times == 3:
            done.touch()

    assert perf.count_while(work, os.getpid()) == expected
    assert times >= 3
    assert f"-p {os.getpid()}" in asked.read_text()


def test_what_the_kernel_allows_here_is_figures_or_a_reason():
    """One of the two, whatever this machine is."""
    found = perf.count_while(lambda: sum(range(1000)), os.getpid())
    if isinstance(found, Counters):
        assert 0.01 < found.instructions_per_cycle < 20.0
    else:
        assert found
