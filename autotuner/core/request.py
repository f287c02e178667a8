"""What a user asks for: one frozen value per kind of job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from autotuner.core.config import BASELINE, Config
from autotuner.core.errors import InputError
from autotuner.core.judgement import AccuracyRules
from autotuner.core.layer_profile import LayerProfile
from autotuner.core.network import Network
from autotuner.core.objective import Constraint, Objective
from autotuner.core.partition import Goal
from autotuner.core.space import Value
from autotuner.core.sweep import Protocol
from autotuner.core.wording import counted

DEFAULT_SEARCH_SECONDS = 40.0
MAIN_PERCENTILES = (50.0, 90.0, 95.0, 99.0)


Scenario = Literal["multistream", "singlestream", "server", "offline"]
"""How load arrives, in MLPerf's terms; multistream is batches back to back."""

Io = Literal["host", "device"]
"""Whose memory holds inputs and outputs while a model is measured."""


def latency_metric(percentile: float) -> str:
    """Return the name of the latency metric for *percentile*, such as ``p99_ms``."""
    return f"p{percentile:g}_ms"


def power_metric(rail: str) -> str:
    """Return the name of the metric for the power of *rail*, of the whole device when empty."""
    return f"power_w.{rail}" if rail else "power_w"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The model and what it is fed.

    *model* is an absolute path or the name of a reference model, None for the default one;
    *shapes* gives the shape of one sample by input, as typed, *data* a file with real inputs.
    *rate_ips* is that of the requests in the scenario ``server``; None asks for the highest.
    *device* is one that is not there, ``sim:NAME`` or ``replay:FILE``; None is this box.
    *preprocess* says how images in *data* become samples, as typed; *accuracy* what a precision has
    to show beside FP32. *tiles* has the latency count for so many samples at once, such as the
    tiles of a large image. *io* says where inputs and outputs lie: with the host, so that a GPU's
    time includes their copies, or on the device that computes.
    """

    model: str | None = None
    shapes: tuple[str, ...] = ()
    data: str | None = None
    seed: int = 0
    scenario: Scenario = "multistream"
    rate_ips: float | None = None
    device: str | None = None
    preprocess: str | None = None
    accuracy: AccuracyRules = field(default_factory=AccuracyRules)
    tiles: int | None = None
    io: Io = "host"

    def __post_init__(self) -> None:
        if self.io == "device" and self.device is not None:
            raise InputError("No memory of a device that is not there can be used; leave --io out.")
        if self.io == "device" and self.scenario == "server":
            raise InputError("Requests come by way of the host; leave --io out.")
        if self.device is not None and not self.device.startswith(("sim:", "replay:")):
            raise InputError(
                f"{self.device!r} is no device; write sim:NAME, such as sim:jetson-orin-nano, "
                "or replay:FILE."
            )
        if self.tiles is not None and self.tiles < 1:
            raise InputError("The number of tiles must be at least 1.")
        if self.tiles is not None and self.scenario != "multistream":
            raise InputError("Tiles come as batches back to back; leave --scenario out.")
        if self.data is None and self.accuracy.labels is not None:
            raise InputError("Labels belong to real inputs; give those too, with --data.")
        if self.rate_ips is not None and self.scenario != "server":
            raise InputError("Requests have a rate under --scenario server only; leave --rate out.")
        if self.rate_ips is not None and not self.rate_ips > 0.0:
            raise InputError("The rate of requests must be above zero, such as --rate 100.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneRequest:
    """Search the best configuration, prove it and keep it as a profile.

    *dimensions* narrows dimensions of the search space to the given values; *max_seconds* bounds
    the search, the final proof comes on top. *dvfs* adds ladders of frequencies to the platform's
    power modes, *allow_reboot_modes* has those named that need a reboot. *max_power_w* bounds the
    power of supply rails by name, that of the whole device under the empty name. *first* is content
    with the first configuration of the search that is proven, *pareto* keeps the front of
    throughput against latency in the profile. *out* is a folder that gets an extra copy.

    In the scenario ``server`` the latency is that of a request, and the throughput is the highest
    rate of requests at which it keeps its budget. With a given rate that is a prediction, the
    headroom over it, and the budget is proven at the given rate; without, at the highest.
    """

    workload: Workload = field(default_factory=Workload)
    goal: Literal["throughput", "latency", "energy"] = "throughput"
    max_latency_ms: float | None = None
    percentile: float = 99.0
    min_throughput_ips: float | None = None
    max_memory_mib: float | None = None
    dvfs: bool = False
    allow_reboot_modes: bool = False
    max_power_w: Mapping[str, float] = field(default_factory=dict)
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
    def needs_power(self) -> bool:
        """Whether it can be judged only where power is measured."""
        return self.goal == "energy" or bool(self.max_power_w)

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
        for rail, watts in self.max_power_w.items():
            constraints.append(Constraint(power_metric(rail), at_most=watts))
        if self.goal == "latency":
            return Objective.minimize(latency, constraints)
        if self.goal == "energy":
            return Objective.minimize("energy_j", constraints)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRequest:
    """Measure a whole grid of configurations on this box and keep it in the file *out*.

    *dimensions* narrows the grid as in :class:`TuneRequest`; each configuration is measured for
    about *seconds* of steady running.
    """

    workload: Workload = field(default_factory=Workload)
    out: str
    dimensions: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.workload.device is not None:
            raise InputError("Only a real box can be recorded; leave --device out.")
        if self.workload.scenario == "server":
            raise InputError(
                "Batches are recorded back to back; leave --scenario server for the replay."
            )
        if not self.seconds > 0.0:
            raise InputError("The seconds to measure must be above zero, such as 1.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectRequest:
    """Tune each of *models*, paths or names, as *tune* says and choose the most accurate one.

    *accuracy_table* is a YAML file with the accuracy of every model by its name.
    """

    models: tuple[str, ...]
    tune: TuneRequest
    accuracy_table: str | None = None

    def __post_init__(self) -> None:
        if len(set(self.models)) != len(self.models):
            raise InputError("A model is named twice; name each once.")
        if self.tune.dry_run:
            raise InputError("--dry-run shows the space of one model; leave it out of select.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRequest:
    """List the precision variants in the cache, or remove them all with *clear*."""

    clear: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectRequest:
    """Look into the model of *workload* without running it."""

    workload: Workload = field(default_factory=Workload)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayersRequest:
    """Time each layer of a model under *config*, one worker of it.

    It goes on until every layer's share of the time is known to *margin* either way, at most for
    about *max_seconds*.
    """

    workload: Workload = field(default_factory=Workload)
    config: Config = BASELINE
    margin: float = 0.005
    max_seconds: float = 20.0

    def __post_init__(self) -> None:
        if not 0.0 < self.margin < 1.0:
            raise InputError("The precision of the shares must lie between 0 % and 100 %.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRequest:
    """Find where to cut a model between the machines of the profiles *here* and *there*.

    *device_w* is what the device draws while it computes, *input_bytes* what a sample takes as it
    is sent raw, None for what the model takes. The best *verify* cuts are really made
    and run on this box; *out* is a folder for the parts of the best one.
    """

    workload: Workload = field(default_factory=Workload)
    here: LayerProfile
    there: LayerProfile
    network: Network
    goal: Goal = "latency"
    device_w: float | None = None
    input_bytes: int | None = None
    verify: int = 0
    out: str | None = None

    def __post_init__(self) -> None:
        if self.goal == "energy" and (self.device_w is None or self.network.tx_w is None):
            raise InputError(
                "Energy needs the power of the device, such as --device-power 3W, and of sending, "
                "such as tx=1.2W in --network."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterizeRequest:
    """Measure every configuration of a grid for every one of *models*.

    *dimensions* are swept, all others stay as they usually are; each configuration is measured for
    about *seconds* under the protocol ``steady``. A sweep that takes longer than *max_seconds* is
    refused. *data* are files with real inputs, one for each model, where *workload* has none for
    all of them. *accuracy_table* is a YAML file with the accuracy of every model by its name. The
    model of *workload* does not count.
    """

    models: tuple[str | None, ...]
    workload: Workload = field(default_factory=Workload)
    dimensions: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    protocol: Protocol = "steady"
    seconds: float = 1.0
    max_seconds: float | None = None
    data: tuple[str, ...] = ()
    accuracy_table: str | None = None

    def __post_init__(self) -> None:
        if not self.dimensions:
            raise InputError("Say what to sweep, such as --sweep batch_size=1..16.")
        if self.data and len(self.data) != len(self.models):
            raise InputError(
                f"--data was given {counted(len(self.data), 'time')} for "
                f"{counted(len(self.models), 'model')}; "
                "give it once for all of them, or once for each in their order."
            )
        if not self.seconds > 0.0:
            raise InputError("The seconds to measure must be above zero, such as 1.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallRequest:
    """Return the profile in the file *profile* with all that was measured for it.

    *storage* is where its study lies, None for this box's own.
    """

    profile: str
    storage: str | None = None


Request = (
    CharacterizeRequest
    | RecallRequest
    | PartitionRequest
    | InspectRequest
    | LayersRequest
    | TuneRequest
    | MeasureRequest
    | VerifyRequest
    | RecordRequest
    | SelectRequest
    | CacheRequest
)

KINDS: Mapping[str, type[Request]] = {
    "tune": TuneRequest,
    "measure": MeasureRequest,
    "verify": VerifyRequest,
    "inspect": InspectRequest,
    "select": SelectRequest,
    "cache": CacheRequest,
    "layers": LayersRequest,
    "partition": PartitionRequest,
    "characterize": CharacterizeRequest,
    "recall": RecallRequest,
    "record": RecordRequest,
}
"""The kinds of job by the name they have on the wire."""
