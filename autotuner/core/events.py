"""What happens during a job, as values: the only thing that clients see of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from autotuner.core.config import Config
from autotuner.core.encoding import decode, encode
from autotuner.core.errors import ProtocolError
from autotuner.core.inspection import Inspection
from autotuner.core.judgement import Judgement
from autotuner.core.layer_profile import LayerProfile
from autotuner.core.outcome import Failed, Measurement, Outcome
from autotuner.core.partition import Partition
from autotuner.core.selection import Option
from autotuner.core.space import Value
from autotuner.core.sweep import Sweep
from autotuner.core.tuning_run import TuningRun

Phase = Literal["baseline", "search", "proof", "measure"]
"""The round in which a configuration is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A configuration together with what was measured of it."""

    config: Config
    measurement: Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something the user should know, in one sentence."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """Something long goes on that is no measurement; *done* of *total* steps, if counted.

    *elapsed_s* is how long the step has taken so far, where nobody knows how long it will.
    """

    what: str
    step: str
    done: int = 0
    total: int = 0
    elapsed_s: float | None = None

    def __str__(self) -> str:
        counted = f" {self.done} of {self.total}" if self.total else ""
        elapsed = f", {self.elapsed_s:.0f} s so far" if self.elapsed_s is not None else ""
        return f"{self.what}: {self.step}{counted}{elapsed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The job knows what it will do; *simulated* names the device when it is not there."""

    model: str
    objective: str | None = None
    fingerprint: str
    simulated: str | None = None
    space_size: int | None = None
    known_trials: int = 0
    max_trials: int | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStarted:
    """A configuration is about to be measured; *phase* says in which round."""

    phase: Phase
    number: int | None = None
    config: Config
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDone:
    """A configuration was measured; *best* is the recommendation as it stands now."""

    phase: Phase
    number: int | None = None
    config: Config
    outcome: Outcome
    trials: int = 0
    seconds_left: float | None = None
    best: Candidate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDone:
    """The end of a dry run: the search space."""

    model: str
    objective: str
    dimensions: Mapping[str, tuple[Value, ...]]
    restrictions: tuple[str, ...] = ()
    size: int
    known_trials: int = 0
    simulated: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureDone:
    """The end of a measurement of one configuration."""

    model: str
    config: Config
    outcome: Outcome
    elapsed_s: float
    simulated: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadGenVerdict:
    """What MLPerf LoadGen says, in its own terms, of *scenario*, a name of its own too.

    *latency_ms* is the *percentile* of its queries' latencies, *summary* the text of its summary.
    There is no target under SingleStream, which asks one query after the other. *disturbed* says
    what else may have shaped a run that was not valid.
    """

    scenario: str
    valid: bool
    percentile: float
    latency_ms: float | None = None
    target_latency_ms: float | None = None
    target_qps: float | None = None
    scheduled_qps: float | None = None
    completed_qps: float | None = None
    early_stopping: bool = False
    summary: str = ""
    disturbed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyDone:
    """The end of a verification.

    *differences* are the fields of the fingerprint that have changed since the profile was made;
    *recorded* is what the profile says, *outcome* what was measured now, *loadgen* what LoadGen
    says if it was asked.
    """

    status: Literal["kept", "broken", "stale"]
    message: str
    model: str
    differences: tuple[str, ...] = ()
    config: Config
    recorded: Measurement
    outcome: Outcome
    loadgen: LoadGenVerdict | Failed | None = None
    elapsed_s: float
    simulated: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneDone:
    """The end of a tuning run.

    *winner* is the recommended configuration, or the closest one when the status is
    ``infeasible``; *window_share* is the share of the run's time spent in measuring windows.
    *judgements* tell which precisions were compared with FP32, and which were left out.
    *provider_default* and *provider_speedup* are those of the profile.
    """

    status: Literal["ok", "infeasible", "interrupted"]
    message: str
    model: str
    objective: str
    stopped_because: str
    winner: Candidate | None = None
    baseline: Candidate | None = None
    speedup: float | None = None
    proven: bool = False
    profile: str | None = None
    trials: int
    failed: int = 0
    elapsed_s: float
    window_share: float
    simulated: str | None = None
    judgements: tuple[Judgement, ...] = ()
    provider_default: Candidate | None = None
    provider_speedup: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDone:
    """The end of a recording: the file at *path* holds *configs* configurations.

    When it is ``interrupted`` these are not the whole grid.
    """

    status: Literal["ok", "interrupted"] = "ok"
    model: str
    path: str
    configs: int
    failed: int = 0
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectDone:
    """The end of an inspection."""

    inspection: Inspection


@dataclass(frozen=True, slots=True, kw_only=True)
class LayersDone:
    """The end of timing a model's layers."""

    profile: LayerProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectDone:
    """The end of a selection: *model* is the one to use, None where none is."""

    status: Literal["ok", "infeasible", "interrupted"]
    message: str
    model: str | None = None
    options: tuple[Option, ...]
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedVariant:
    """One precision variant in the cache; *calibrated_on* says what INT8 learnt ranges from."""

    model: str
    variant: str
    size_mib: float
    calibrated_on: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheDone:
    """The variants that are in the cache, and how much was freed by clearing it."""

    variants: tuple[CachedVariant, ...] = ()
    freed_mib: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionDone:
    """The end of the search for a cut."""

    partition: Partition


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterizeDone:
    """The end of a sweep; *interrupted* when it was ended before everything was measured."""

    sweep: Sweep
    interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallDone:
    """A tuning run, recalled."""

    run: TuningRun


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed:
    """The end of a job that could not be done; *log* is a file with more, if there is one.

    *interrupted* tells a wish from a fault, *unexpected* a fault of ours from one of the input.
    """

    message: str
    interrupted: bool = False
    unexpected: bool = False
    traceback: str | None = None
    log: str | None = None


Ending = (
    InspectDone
    | LayersDone
    | PartitionDone
    | CharacterizeDone
    | RecallDone
    | PlanDone
    | MeasureDone
    | VerifyDone
    | TuneDone
    | RecordDone
    | SelectDone
    | CacheDone
    | JobFailed
)
"""The last event of every job is one of these."""

Event = Note | Working | Judgement | Started | TrialStarted | TrialDone | Ending

_BY_NAME: dict[str, Any] = {
    "note": Note,
    "working": Working,
    "judgement": Judgement,
    "started": Started,
    "trial_started": TrialStarted,
    "trial_done": TrialDone,
    "plan_done": PlanDone,
    "measure_done": MeasureDone,
    "verify_done": VerifyDone,
    "tune_done": TuneDone,
    "record_done": RecordDone,
    "inspect_done": InspectDone,
    "layers_done": LayersDone,
    "partition_done": PartitionDone,
    "characterize_done": CharacterizeDone,
    "recall_done": RecallDone,
    "select_done": SelectDone,
    "cache_done": CacheDone,
    "job_failed": JobFailed,
}
_NAMES = {cls: name for name, cls in _BY_NAME.items()}

ENDINGS = frozenset(_NAMES[cls] for cls in get_args(Ending))
"""The names of the events that end a job."""


def encode_event(event: Event) -> dict[str, Any]:
    """Return *event* as plain data with its name under ``event``."""
    return {"event": _NAMES[type(event)], **encode(event)}


def decode_event(data: Mapping[str, Any]) -> Event:
    """Return the event that :func:`encode_event` made; raises ProtocolError for an unknown one."""
    fields = dict(data)
    name = fields.pop("event", None)
    if name not in _BY_NAME:
        raise ProtocolError(
            f"The daemon sent an event {name!r} that this version does not know; "
            "restart the daemon so that both have the same version."
        )
    event: Event = decode(_BY_NAME[name], fields)
    return event
