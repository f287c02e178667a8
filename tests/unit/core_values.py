"""Strategies that draw the values of the core, as a run could make them."""

from __future__ import annotations

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from autotuner.core import events
from autotuner.core.config import Config
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.inspection import Inspection, Layer
from autotuner.core.layer_profile import Ceilings, LayerProfile, LayerTime
from autotuner.core.network import Network
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import FAILURE_REASONS, Failed, Histogram, Measurement
from autotuner.core.partition import Cut, CutCheck, Partition
from autotuner.core.profile import Evidence, ModelRecord, Profile, SearchRecord
from autotuner.core.request import (
    CharacterizeRequest,
    InspectRequest,
    LayersRequest,
    MeasureRequest,
    RecordRequest,
    TuneRequest,
    VerifyRequest,
    Workload,
)
from autotuner.core.sweep import ModelSize, Point, Sweep
from autotuner.core.tuning_run import TuningRun

quickly = hypothesis_settings(max_examples=30, deadline=None)
"""Few examples and no clock: the values are large, and the machine may be busy."""

names = st.text(max_size=12)
counts = st.integers(1, 4096)
figures = st.floats(0.0, 1e12)
positive = st.floats(1e-6, 1e9)
settings = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | names | st.booleans()


def maybe(strategy):
    """Draw from *strategy*, or None."""
    return st.none() | strategy


configs = st.builds(
    Config,
    batch_size=counts,
    workers=counts,
    intra_op_threads=maybe(counts),
    precision=names,
    affinity=names,
    provider=names,
    power_mode=names,
    mps=maybe(st.booleans()),
    streams=counts,
)
_figures = {
    name: maybe(figures)
    for name, kind in Measurement.__annotations__.items()
    if kind == "float | None"
}
measurements = st.builds(
    Measurement,
    **_figures,
    n=maybe(counts),
    throttled=maybe(st.booleans()),
    disturbed=maybe(names),
    histogram=maybe(
        st.builds(
            Histogram,
            low_ms=positive,
            high_ms=positive,
            counts=st.lists(counts, max_size=3).map(tuple),
        )
    ),
    intervals=st.dictionaries(names, st.tuples(maybe(figures), maybe(figures)), max_size=3),
    extra=st.dictionaries(names, figures, max_size=3),
)
failures = st.builds(Failed, st.sampled_from(FAILURE_REASONS), names)
outcomes = measurements | failures
fingerprints = st.builds(
    Fingerprint,
    device=maybe(names),
    cpu=maybe(names),
    cpus=maybe(counts),
    memory_gib=maybe(counts),
    gpu=maybe(names),
    driver=maybe(names),
    runtimes=st.dictionaries(names, names, max_size=2),
    os=maybe(names),
    model_sha256=names,
    shapes=st.dictionaries(names, st.lists(counts, max_size=3).map(tuple), max_size=2),
    data_sha256=maybe(names),
    scenario=names,
    rate_ips=maybe(positive),
    io=st.sampled_from([None, "device"]),
)
_constraints = st.builds(Constraint, names, at_most=figures) | st.builds(
    Constraint, names, at_least=figures
)
_objectives = st.builds(
    Objective,
    names,
    st.sampled_from(["maximize", "minimize"]),
    st.lists(_constraints, max_size=2).map(tuple),
)
_workloads = st.builds(
    Workload,
    model=maybe(names),
    shapes=st.lists(names, max_size=2).map(tuple),
    data=maybe(names),
    seed=st.integers(),
    device=st.none() | names.map("sim:{}".format),
)
_evidence = st.builds(
    Evidence,
    config=configs,
    measurement=measurements,
    search_measurement=maybe(measurements),
)
profiles = st.builds(
    Profile,
    status=names,
    created=names,
    tool_version=names,
    model=st.builds(ModelRecord, name=names, path=names, sha256=names),
    objective=_objectives,
    confidence=figures,
    winner=_evidence,
    baseline=_evidence,
    speedup=maybe(figures),
    search=st.builds(
        SearchRecord,
        trials=counts,
        failed=counts,
        space_size=counts,
        elapsed_s=figures,
        sampler=names,
        seed=st.integers(),
        stopped_because=names,
    ),
    fingerprint=fingerprints,
    workload=_workloads,
    front=st.lists(_evidence, max_size=2).map(tuple),
    simulated=maybe(names),
)
requests = (
    st.builds(
        TuneRequest,
        workload=_workloads,
        goal=st.sampled_from(["throughput", "latency", "energy"]),
        max_latency_ms=positive,
        percentile=st.floats(1.0, 99.99),
        min_throughput_ips=maybe(positive),
        max_memory_mib=maybe(positive),
        max_power_w=st.dictionaries(names, positive, max_size=2),
        confidence=st.floats(0.5, 0.999),
        max_trials=maybe(counts),
        max_seconds=positive,
        first=st.booleans(),
        dimensions=st.dictionaries(names, st.lists(maybe(settings)).map(tuple), max_size=2),
        sampler=names,
        storage=maybe(names),
        fresh=st.booleans(),
        pareto=st.booleans(),
        out=maybe(names),
        dry_run=st.booleans(),
    )
    | st.builds(
        MeasureRequest,
        workload=_workloads,
        config=configs,
        seconds=positive,
        percentile=st.floats(1.0, 99.99),
    )
    | st.builds(VerifyRequest, profile=names, loadgen=st.booleans())
    | st.builds(InspectRequest, workload=_workloads)
    | st.builds(
        LayersRequest,
        workload=_workloads,
        config=configs,
        margin=st.floats(0.001, 0.5),
        max_seconds=positive,
    )
    | st.builds(
        CharacterizeRequest,
        models=st.lists(maybe(names), max_size=2).map(tuple),
        workload=_workloads,
        dimensions=st.dictionaries(
            names, st.lists(maybe(settings)).map(tuple), min_size=1, max_size=2
        ),
        seconds=positive,
        max_seconds=maybe(positive),
    )
    | st.builds(
        RecordRequest,
        workload=st.builds(Workload, model=maybe(names)),
        out=names,
        dimensions=st.dictionaries(names, st.lists(maybe(settings)).map(tuple), max_size=2),
        seconds=positive,
    )
)
_loadgen_verdicts = st.builds(
    events.LoadGenVerdict,
    scenario=names,
    valid=st.booleans(),
    percentile=figures,
    latency_ms=maybe(figures),
    target_latency_ms=maybe(figures),
    target_qps=maybe(figures),
    scheduled_qps=maybe(figures),
    completed_qps=maybe(figures),
    early_stopping=st.booleans(),
    summary=names,
    disturbed=maybe(names),
)
_layers = st.builds(
    Layer,
    name=names,
    operator=names,
    output_shape=maybe(st.lists(counts, max_size=3).map(tuple)),
    parameters=counts,
    weight_bytes=counts,
    multiply_adds=maybe(counts),
    flops=maybe(counts),
    read_bytes=maybe(counts),
    written_bytes=maybe(counts),
)
_inspections = st.builds(
    Inspection,
    model=names,
    opset=maybe(counts),
    producer=names,
    size_bytes=maybe(counts),
    inputs=st.lists(names, max_size=2).map(tuple),
    outputs=st.lists(names, max_size=2).map(tuple),
    sample_shapes=st.dictionaries(names, st.lists(counts, max_size=3).map(tuple), max_size=2),
    layers=st.lists(_layers, max_size=2).map(tuple),
    peak_activation_bytes=maybe(counts),
)
_layer_profiles = st.builds(
    LayerProfile,
    model=names,
    model_sha256=names,
    config=configs,
    device=names,
    simulated=st.booleans(),
    sample_shapes=st.dictionaries(names, st.lists(counts, max_size=3).map(tuple), max_size=2),
    layers=st.lists(
        st.builds(
            LayerTime,
            name=names,
            operator=names,
            nodes=st.lists(names, max_size=2).map(tuple),
            time_us=figures,
            share=figures,
            share_margin=figures,
            flops=maybe(figures),
            moved_bytes=maybe(figures),
        ),
        max_size=2,
    ).map(tuple),
    runs=counts,
    whole_ms=figures,
    plain_ms=figures,
    margin=figures,
    wanted_margin=figures,
    ceilings=maybe(st.builds(Ceilings, gflops_s=positive, gb_s=positive)),
)
_networks = st.builds(
    Network, up_mbit_s=positive, rtt_ms=figures, down_mbit_s=maybe(positive), tx_w=maybe(positive)
)
_cuts = st.builds(
    Cut,
    position=counts,
    after=names,
    tensors=st.lists(names, max_size=2).map(tuple),
    sent_bytes=counts,
    device_ms=figures,
    transfer_ms=figures,
    server_ms=figures,
    energy_j=maybe(figures),
)
_partitions = st.builds(
    Partition,
    model=names,
    network=_networks,
    goal=st.sampled_from(["latency", "energy"]),
    simulated=st.booleans(),
    cuts=st.lists(_cuts, max_size=2).map(tuple),
    checks=st.lists(
        st.builds(
            CutCheck,
            cut=_cuts,
            predicted_ms=figures,
            expected_ms=figures,
            measured_ms=figures,
            largest_difference=figures,
        ),
        max_size=1,
    ).map(tuple),
    files=st.lists(names, max_size=2).map(tuple),
)
_phases = st.sampled_from(["baseline", "search", "proof", "measure"])
_candidates = st.builds(events.Candidate, config=configs, measurement=measurements)
_sweeps = st.builds(
    Sweep,
    tool_version=names,
    created=names,
    box=names,
    protocol=st.sampled_from(["steady", "embench"]),
    simulated=st.booleans(),
    models=st.lists(
        st.builds(ModelSize, model=names, parameters=counts, flops=counts, accuracy=maybe(figures)),
        max_size=1,
    ).map(tuple),
    points=st.lists(
        st.builds(Point, model=names, config=configs, outcome=outcomes), max_size=2
    ).map(tuple),
)
all_events = st.one_of(
    st.builds(events.Note, text=names),
    st.builds(
        events.Started,
        model=names,
        objective=maybe(names),
        fingerprint=names,
        space_size=maybe(counts),
        max_seconds=maybe(figures),
    ),
    st.builds(events.TrialStarted, phase=_phases, number=maybe(counts), config=configs, why=names),
    st.builds(
        events.TrialDone,
        phase=_phases,
        number=maybe(counts),
        config=configs,
        outcome=outcomes,
        trials=counts,
        seconds_left=maybe(figures),
        best=maybe(_candidates),
    ),
    st.builds(
        events.PlanDone,
        model=names,
        objective=names,
        dimensions=st.dictionaries(names, st.lists(maybe(settings)).map(tuple), max_size=2),
        restrictions=st.lists(names, max_size=2).map(tuple),
        size=counts,
    ),
    st.builds(events.MeasureDone, model=names, config=configs, outcome=outcomes, elapsed_s=figures),
    st.builds(
        events.TuneDone,
        status=st.sampled_from(["ok", "infeasible", "interrupted"]),
        message=names,
        model=names,
        objective=names,
        stopped_because=names,
        winner=maybe(_candidates),
        baseline=maybe(_candidates),
        speedup=maybe(figures),
        proven=st.booleans(),
        profile=maybe(names),
        trials=counts,
        elapsed_s=figures,
        window_share=figures,
    ),
    st.builds(
        events.VerifyDone,
        status=st.sampled_from(["kept", "broken", "stale"]),
        message=names,
        model=names,
        differences=st.lists(names, max_size=2).map(tuple),
        config=configs,
        recorded=measurements,
        outcome=outcomes,
        loadgen=maybe(_loadgen_verdicts | failures),
        elapsed_s=figures,
    ),
    st.builds(
        events.RecordDone,
        status=st.sampled_from(["ok", "interrupted"]),
        model=names,
        path=names,
        configs=counts,
        failed=counts,
        elapsed_s=figures,
    ),
    st.builds(events.InspectDone, inspection=_inspections),
    st.builds(events.LayersDone, profile=_layer_profiles),
    st.builds(events.PartitionDone, partition=_partitions),
    st.builds(
        events.CharacterizeDone,
        interrupted=st.booleans(),
        sweep=_sweeps,
    ),
    st.builds(events.RecallDone, run=st.builds(TuningRun, profile=profiles, measured=_sweeps)),
    st.builds(
        events.JobFailed,
        message=names,
        interrupted=st.booleans(),
        unexpected=st.booleans(),
        traceback=maybe(names),
        log=maybe(names),
    ),
)
