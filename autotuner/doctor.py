"""The whole check-up: runtimes, sensors, power controls and whatever limits this process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from autotuner import backends
from autotuner.bench.energy import total_rails
from autotuner.child import tie_to_parent
from autotuner.core.checkup import Check
from autotuner.core.encoding import encode
from autotuner.host import accelerators, doctor, mps
from autotuner.host.sensors import Reading, checkup, discover

_LONGEST_S = 60.0


def ask() -> list[dict[str, Any]]:
    """Return the checks of this machine as JSON data, made in a process of its own.

    Drivers and runtimes leave threads and memory behind where they are asked, and may hang.
    """
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=_LONGEST_S
        )
    except subprocess.TimeoutExpired:
        return [_failed(f"it did not end within {_LONGEST_S:.0f} s, so some driver hangs")]
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or [f"status {error.returncode}"]
        return [_failed(f"it broke off: {said[-1]}")]
    checks: list[dict[str, Any]] = json.loads(done.stdout)
    return checks


def _failed(why: str) -> dict[str, Any]:
    check = Check(
        area="machine",
        name="check-up",
        status="attention",
        detail=why,
        fix=f"see what happens: {sys.executable} -m {__name__}",
    )
    return dict(encode(check))


def examine(root: Path = Path("/")) -> list[Check]:
    """Return what the machine at *root* offers, and what is missing with its reason and remedy."""
    found = discover(root, with_jtop=True)
    readings, cost_s = checkup.look(found)
    return [
        *_runtimes(root),
        *_mps(root),
        *doctor.machine(root),
        *checkup.checks(readings, found.missing),
        checkup.cost(cost_s),
        _total(reading for shown in readings.values() for reading in shown),
        *doctor.power(root),
    ]


def _runtimes(root: Path) -> Iterator[Check]:
    for name, location in backends.BACKENDS.items():
        backend = backends.load(location)
        for provider, reason in backend.providers().items():
            if reason is not None:
                yield _missing(root, provider, reason)
                continue
            precisions = ", ".join(backend.precisions(provider))
            yield Check(
                area="runtimes",
                name=provider,
                status="ok",
                detail=f"{name} {backend.version() or 'of unknown version'}: {precisions}",
            )


def _mps(root: Path) -> Iterator[Check]:
    """Say whether workers may share the NVIDIA GPU of the machine, where it has one."""
    if not accelerators.nvidia_gpu(root):
        return
    why = mps.refusal()
    yield Check(
        area="runtimes",
        name="mps",
        status="absent" if why else "ok",
        detail=why or "workers may share the GPU by CUDA's Multi-Process Service",
    )


def _missing(root: Path, provider: str, reason: str) -> Check:
    """Return why *provider* is missing: its device, or what could be installed."""
    device = accelerators.needed(root, provider)
    if device is not None:
        detail = f"there is no {device} in this machine"
        return Check(area="runtimes", name=provider, status="absent", detail=detail)
    detail, _, fix = reason.partition("; ")
    return Check(
        area="runtimes",
        name=provider,
        status="attention" if fix else "absent",
        detail=detail,
        fix=fix or None,
    )


def _total(shown: Iterable[Reading]) -> Check:
    """Return which reading counts as the power of the whole machine."""
    readings = {reading.name: reading for reading in shown if reading.value is not None}
    rails = total_rails(readings)
    if rails:
        parts = [part for rail in rails for part in readings[rail].made_of or (rail,)]
        detail = f"{' + '.join(parts)} counts as the power of the machine"
        return Check(area="sensors", name="total power", status="ok", detail=detail)
    return Check(
        area="sensors",
        name="total power",
        status="absent",
        detail="no sensor shows power, so energy and --max-power cannot be judged",
    )


if __name__ == "__main__":
    tie_to_parent()
    json.dump([encode(check) for check in examine()], sys.stdout)
