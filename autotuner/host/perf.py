"""What the processor counts while a process works: instructions, cycles and cache misses.

By perf(1) of the kernel's own tools, as its system call has no interface of its own in Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping

from autotuner.core.layer_profile import Counters

_EVENTS = ("instructions:u", "cycles:u", "cache-misses:u")
_SECONDS = 1.0


def count_while(work: Callable[[], object], pid: int) -> Counters | str:
    """Repeat *work* for about a second and return what process *pid* did, or why nobody counts.

    Only what runs outside the kernel counts, for more is forbidden to most users.
    """
    perf = shutil.which("perf")
    if perf is None:
        return "perf is not installed; install the package linux-perf or linux-tools"
    what = ["-x", ",", "-e", ",".join(_EVENTS), "-p", str(pid)]
    with subprocess.Popen(
        [perf, "stat", *what, "--", "sleep", str(_SECONDS)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    ) as counting:
        try:
            while counting.poll() is None:
                work()
        except BaseException:
            counting.kill()
            raise
        assert counting.stderr is not None
        return read(counting.stderr.read(), counting.returncode)


def read(said: str, status: int) -> Counters | str:
    """Return what perf *said* as it ended with *status*; pure."""
    counts = _counts(said)
    instructions, cycles, misses = (counts.get(event) for event in _EVENTS)
    if status == 0 and instructions and cycles:
        per_thousand = None if misses is None else 1e3 * misses / instructions
        return Counters(instructions_per_cycle=instructions / cycles, cache_misses=per_thousand)
    if counts:
        return "the processor, or the virtual machine, does not let them be counted"
    lines = [line for line in said.splitlines() if line.strip() and line.strip() != "Error:"]
    words = lines[0].strip().rstrip(".:") if lines else f"it ended with status {status}"
    return f"perf is not allowed to: {words}"


def _counts(said: str) -> Mapping[str, float | None]:
    """Return the count of each event, None where perf could not count it."""
    found: dict[str, float | None] = {}
    for line in said.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[2] in _EVENTS:
            found[fields[2]] = float(fields[0]) if fields[0].isdigit() else None
    return found
