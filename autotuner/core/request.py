"""What a user asks for: one frozen value per kind of job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from autotuner.core.config import BASELINE, Config
from autotuner.core.errors import InputError
from autotuner.core.objective import Constraint, Objective
from autotuner.core.space import Value

DEFAULT_SEARCH_SECONDS = 40.0
MAIN_PERCENTILES = (50.0, 90.0, 95.0, 99.0)


Scenario = Literal["multistream", "singlestream", "server", "offline"]
"""How load arrives, in MLPerf's terms; multistream is batches back to back."""


def latency_metric(percentile: float) -> str:
    """Return the name of the latency metric for *percentile*, such as ``p99_ms``."""
    return f"p{percentile:g}_ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The model and what it is fed.

    *model* is an absolute path or the name of a reference model, None for the default one;
    *shapes* gives the shape of one sample by input, as typed, *data* a file with real inputs.
    *rate_ips* is that of the requests in the scenario ``server``; None asks for the highest.
    """

    model: str | None = None
    shapes: tuple[str, ...] = ()
    data: str | None = None
    seed: int = 0
    scenario: Scenario = "multistream"
    rate_ips: float | None = None

    def __post_init__(self) -> None:
        if self.rate_ips is not None and self.scenario != "server":
            raise InputError("Requests have a rate under --scenario server only; leave --rate out.")
        if self.rate_ips is not None and not self.rate_ips > 0.0:
            raise InputError("The rate of requests must be above zero, such as --rate 100.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneRequest:
    """Search the best configuration, prove it and keep it as a profile.

    *dimensions* narrows dimensions of the search space to the given values; *max_seconds* bounds
    the search, the final proof comes on top. *first* is content with the first configuration of the
    search that is proven, *pareto* keeps the front of throughput against latency in the profile.
    *out* is a folder that gets an extra copy.

    In the scenario ``server`` the latency is that of a request, and the throughput is the highest
    rate of requests at which it keeps its budget. With a given rate that is a prediction, the
    headroom over it, and the budget is proven at the given rate; without, at the highest.
    """

    workload: Workload = field(default_factory=Workload)
    goal: Literal["throughput", "latency"] = "throughput"
    max_latency_ms: float | None = None
    percentile: float = 99.0
    min_throughput_ips: float | None = None
    max_memory_mib: float | None = None
    confidence: float = 0.95
    max_trials: int | None = None
    max_seconds: float = DEFAULT_SEARCH_SECONDS
    first: bool = False
    dimensions: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    sampler: str = "auto"
    storage: str | None = None
    fresh: bool = False
    pareto: bool = False
    out: str | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        _check_percentile(self.percentile)
        if not 0.5 <= self.confidence < 1.0:
            raise InputError("The confidence must be at least 0.5 and below 1, such as 0.95.")
        self._check_scenario()
        if self.goal == "throughput" and self.max_latency_ms is None and not self._offline:
            raise InputError("Give the latency budget, such as --max-latency 50ms.")
        if self.max_trials is not None and self.max_trials < 1:
            raise InputError("The number of trials must be at least 1.")
        if not self.max_seconds > 0.0:
            raise InputError("The time of the search must be above zero, such as 40s.")

    @property
    def _offline(self) -> bool:
        return self.workload.scenario == "offline"

    def _check_scenario(self) -> None:
        if self._offline and (self.max_latency_ms is not None or self.goal == "latency"):
            raise InputError(
                "Offline, latency does not count; leave it out or choose another --scenario."
            )
        if (
            self.workload.scenario == "server"
            and self.workload.rate_ips is None
            and self.goal == "latency"
        ):
            raise InputError("Give the rate at which the latency counts, such as --rate 100.")

    @property
    def objective(self) -> Objective:
        """What to optimise, with every bound that was asked for."""
        latency = latency_metric(self.percentile)
        constraints = []
        if self.max_latency_ms is not None:
            constraints.append(Constraint(latency, at_most=self.max_latency_ms))
        if self.min_throughput_ips is not None:
            constraints.append(Constraint("throughput_ips", at_least=self.min_throughput_ips))
        if self.max_memory_mib is not None:
            constraints.append(Constraint("memory_mib", at_most=self.max_memory_mib))
        if self.goal == "latency":
            return Objective.minimize(latency, constraints)
        return Objective.maximize("throughput_ips", constraints)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRequest:
    """Measure one configuration for about *seconds* of steady running."""

    workload: Workload = field(default_factory=Workload)
    config: Config = BASELINE
    seconds: float = 3.0
    percentile: float = 99.0

    def __post_init__(self) -> None:
        _check_percentile(self.percentile)
        if not self.seconds > 0.0:
            raise InputError("The seconds to measure must be above zero, such as 3.")
        if self.workload.scenario == "server" and self.workload.rate_ips is None:
            raise InputError("Give the rate of the requests, such as --rate 100.")


def _check_percentile(percentile: float) -> None:
    if not 0.0 < percentile < 100.0:
        raise InputError("The percentile must lie between 0 and 100, such as 99.")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """Measure the profile in the file *profile* again and judge whether it still holds.

    With *loadgen* MLPerf LoadGen judges it too.
    """

    profile: str
    loadgen: bool = False


Request = TuneRequest | MeasureRequest | VerifyRequest

KINDS: Mapping[str, type[Request]] = {
    "tune": TuneRequest,
    "measure": MeasureRequest,
    "verify": VerifyRequest,
}
"""The kinds of job by the name they have on the wire."""
