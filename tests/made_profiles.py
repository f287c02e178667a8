"""A profile as tuning on this very machine would have made it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from autotuner.core.config import Config
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Measurement
from autotuner.core.profile import Evidence, ModelRecord, Profile, SearchRecord
from autotuner.core.request import Workload
from autotuner.host import identity


def here():
    """Return the fingerprint of this machine, as far as applying a profile looks at it."""
    return Fingerprint(
        device=identity.device(), cpu=identity.cpu(), memory_gib=identity.memory_gib()
    )


def proven(path: Path, *, mode="present", config=None, throughput_ips=10.0, **changes):
    """Return a proven profile of the model at *path*, with *changes*."""
    config = config or Config(batch_size=4, workers=2, intra_op_threads=1)
    measurement = Measurement(throughput_ips=throughput_ips, p99_ms=2.0)
    evidence = Evidence(config=replace(config, power_mode=mode), measurement=measurement)
    made = Profile(
        status="proven",
        created="2026-01-01T00:00:00+00:00",
        tool_version="0",
        model=ModelRecord(name=path.stem, path=str(path), sha256="0" * 64),
        workload=Workload(model=str(path)),
        objective=Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=5.0)]),
        confidence=0.95,
        winner=evidence,
        baseline=evidence,
        speedup=1.0,
        search=SearchRecord(
            trials=1,
            failed=0,
            space_size=1,
            elapsed_s=1.0,
            sampler="auto",
            seed=0,
            stopped_because="it was a test",
        ),
        fingerprint=here(),
    )
    return replace(made, **changes)
