"""The deliverable: the winning configuration with its evidence and the identity it holds for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autotuner.core.config import Config
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.judgement import Judgement
from autotuner.core.objective import Objective
from autotuner.core.outcome import Measurement
from autotuner.core.request import Workload

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """The model that a profile is for; *path* is where it lay when it was tuned."""

    name: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One configuration with what the search and the final round measured of it."""

    config: Config
    measurement: Measurement
    search_measurement: Measurement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRecord:
    """How the winner was found."""

    trials: int
    failed: int
    space_size: int
    elapsed_s: float
    sampler: str
    seed: int
    stopped_because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one tuning run found; one YAML file.

    *status* is ``proven`` when the constraint holds with the stated confidence and
    ``interrupted`` when the run was ended before that could be shown. *created* is the time in UTC,
    ISO 8601; *speedup* is the ratio of the throughputs. *front* are the configurations that no
    other beat, of throughput, latency and, where it was measured, energy, whatever the constraints;
    it is what the search saw, not proven. *simulated* names the device when it was not there.
    *judgement* tells how accurate the winner's precision is, None for FP32 on ONNX Runtime.
    *provider_default* is what the winner's own provider does by default where that is not the
    baseline, as the search measured it once, and *provider_speedup* how many times its throughput
    the search saw of the winner.
    """

    schema: int = SCHEMA
    status: str
    created: str
    tool_version: str
    model: ModelRecord
    workload: Workload
    objective: Objective
    confidence: float
    winner: Evidence
    baseline: Evidence
    speedup: float | None
    search: SearchRecord
    fingerprint: Fingerprint
    front: tuple[Evidence, ...] = ()
    simulated: str | None = None
    judgement: Judgement | None = None
    provider_default: Evidence | None = None
    provider_speedup: float | None = None

    @property
    def name(self) -> str:
        """The file's stem: model, objective and fingerprint in a few characters."""
        model = re.sub(r"[^A-Za-z0-9._-]+", "-", self.model.name).strip("-.") or "model"
        bounds = (f"{c.metric}-{c.bound:g}" for c in self.objective.constraints)
        return "_".join([model, self.objective.metric, *bounds, self.fingerprint.digest])
