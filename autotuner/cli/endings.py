"""How a command ends: what is printed, for people or as JSON, and the exit status."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from autotuner.cli import findings, tables
from autotuner.core.config import Config
from autotuner.core.encoding import encode
from autotuner.core.events import (
    CacheDone,
    Candidate,
    Ending,
    JobFailed,
    LoadGenVerdict,
    MeasureDone,
    PlanDone,
    RecordDone,
    SelectDone,
    TuneDone,
    VerifyDone,
)
from autotuner.core.outcome import Failed, Measurement, Outcome
from autotuner.core.selection import Option, front
from autotuner.core.wording import counted

OK, FAILED, BAD_INPUT, INFEASIBLE, STALE, INTERRUPTED = 0, 1, 2, 3, 4, 130
_VERIFIED = {"kept": OK, "broken": FAILED, "stale": STALE}
_STATUS = {"ok": OK, "infeasible": INFEASIBLE, "interrupted": INTERRUPTED}


def conclude(ending: Ending, console: Console, *, as_json: bool, debug: bool) -> int:
    """Print *ending* and return the exit status."""
    if isinstance(ending, JobFailed):
        if debug and ending.traceback:
            sys.stderr.write(ending.traceback)
        return _fail(ending.message, _failure_status(ending), as_json=as_json)
    if isinstance(ending, findings.Finding):
        document = findings.document(ending)
        status = INTERRUPTED if document["status"] == "interrupted" else OK
    elif isinstance(ending, TuneDone):
        document, status = tune_document(ending), _STATUS[ending.status]
    elif isinstance(ending, MeasureDone):
        document = measure_document(ending)
        status = FAILED if isinstance(ending.outcome, Failed) else OK
    elif isinstance(ending, VerifyDone):
        document, status = verify_document(ending), _VERIFIED[ending.status]
    elif isinstance(ending, SelectDone):
        document, status = select_document(ending), _STATUS[ending.status]
    elif isinstance(ending, CacheDone):
        document, status = {"status": "ok", **encode(ending)}, OK
    elif isinstance(ending, RecordDone):
        document, status = record_document(ending), _STATUS[ending.status]
    else:
        document, status = plan_document(ending), OK
    if as_json:
        print(json.dumps(document, indent=2, allow_nan=False))
    elif isinstance(ending, findings.Finding):
        findings.show(ending, console)
    elif isinstance(ending, SelectDone):
        console.print(tables.options(ending.options, ending.model))
        console.print()
        console.print(ending.message)
    elif isinstance(ending, CacheDone):
        _show_cache(ending, console)
    else:
        _show(ending, console)
    return status


def complain(error: Exception, *, as_json: bool, debug: bool) -> int:
    """Print an *error* that ended the command before there was a job; return the exit status."""
    if debug:
        traceback.print_exception(error)
    return _fail(str(error), BAD_INPUT, as_json=as_json)


def tune_document(done: TuneDone) -> dict[str, Any]:
    """Return the JSON document of a tuning run."""
    return {
        "status": done.status,
        "message": done.message,
        "model": done.model,
        "objective": done.objective,
        "stopped_because": done.stopped_because,
        "proven": done.proven,
        **_label(done.simulated),
        "profile": done.profile,
        **_candidate(done.winner),
        "baseline": _candidate(done.baseline) if done.baseline else None,
        "speedup": done.speedup,
        "provider_default": _candidate(done.provider_default) if done.provider_default else None,
        "provider_speedup": done.provider_speedup,
        "trials": done.trials,
        "failed": done.failed,
        "elapsed_s": done.elapsed_s,
        "window_share": done.window_share,
        "judgements": encode(done.judgements),
    }


def measure_document(done: MeasureDone) -> dict[str, Any]:
    """Return the JSON document of one measurement."""
    return {
        "status": "failed" if isinstance(done.outcome, Failed) else "ok",
        "model": done.model,
        **_label(done.simulated),
        **_outcome(done.config, done.outcome),
        "elapsed_s": done.elapsed_s,
    }


def verify_document(done: VerifyDone) -> dict[str, Any]:
    """Return the JSON document of a verification."""
    return {
        "status": done.status,
        "message": done.message,
        "model": done.model,
        **_label(done.simulated),
        "differences": list(done.differences),
        **_outcome(done.config, done.outcome),
        "recorded": measurement_document(done.recorded),
        "loadgen": encode(done.loadgen),
        "elapsed_s": done.elapsed_s,
    }


def select_document(done: SelectDone) -> dict[str, Any]:
    """Return the JSON document of a selection; the front is in the order of throughput."""
    return {
        "status": done.status,
        "message": done.message,
        "model": done.model,
        "options": [
            {
                "model": option.model,
                "status": option.status,
                "accuracy": option.accuracy,
                **_option(option),
                "profile": option.profile,
                "why": option.why,
            }
            for option in done.options
        ],
        "front": [option.model for option in front(done.options)],
        "elapsed_s": done.elapsed_s,
    }


def plan_document(plan: PlanDone) -> dict[str, Any]:
    """Return the JSON document of a dry run."""
    return {
        "status": "ok",
        "model": plan.model,
        "objective": plan.objective,
        **_label(plan.simulated),
        "dimensions": {name: list(values) for name, values in plan.dimensions.items()},
        "restrictions": list(plan.restrictions),
        "size": plan.size,
    }


def record_document(done: RecordDone) -> dict[str, Any]:
    """Return the JSON document of a recording."""
    return {"status": done.status, **encode(done)}


def _label(simulated: str | None) -> dict[str, str]:
    """Return what marks a document whose figures are those of a simulated device."""
    return {} if simulated is None else {"simulated": simulated}


def measurement_document(measurement: Measurement) -> dict[str, Any]:
    """Return a measurement with its latencies grouped: ``latency_ms.p99``."""
    latency = {
        name: getattr(measurement, f"{name}_ms")
        for name in ("p50", "p90", "p95", "p99", "mean", "max")
    }
    unusual = {k: v for k, v in measurement.extra.items() if k.endswith("_ms")}
    latency |= {name.removesuffix("_ms"): value for name, value in unusual.items()}
    electrical = _electrical(measurement)
    return {
        "throughput_ips": measurement.throughput_ips,
        "latency_ms": latency,
        "n": measurement.n,
        "cv": measurement.cv,
        "histogram": encode(measurement.histogram),
        "intervals": {name: list(sides) for name, sides in measurement.intervals.items()},
        "window_s": measurement.window_s,
        "memory_mib": measurement.memory_mib,
        **electrical,
        "setup_s": measurement.setup_s,
        "extra": {
            k: v for k, v in measurement.extra.items() if k not in unusual.keys() | electrical
        },
    }


def _electrical(measurement: Measurement) -> dict[str, Any]:
    """Return what is known of power, energy, clock and heat."""
    extra = measurement.extra
    values = {
        "power_w": measurement.power_w,
        "energy_j": measurement.energy_j,
        "energy_net_j": extra.get("energy_net_j"),
        "ips_per_w": extra.get("ips_per_w"),
        "clock_mhz": measurement.clock_mhz,
        "throttled": measurement.throttled,
    }
    return {name: value for name, value in values.items() if value is not None}


def _outcome(config: Config, outcome: Outcome) -> Mapping[str, Any]:
    if isinstance(outcome, Failed):
        failed = {"reason": outcome.reason, "detail": outcome.detail}
        return {"config": config.to_mapping(), "failed": failed}
    return _candidate(Candidate(config=config, measurement=outcome))


def _option(option: Option) -> Mapping[str, Any]:
    if option.config is None or option.measurement is None:
        return _candidate(None)
    return _candidate(Candidate(config=option.config, measurement=option.measurement))


def _show_cache(done: CacheDone, console: Console) -> None:
    if done.freed_mib is not None:
        console.print(f"Cleared: {done.freed_mib:.1f} MiB are free again.")
    elif done.variants:
        console.print(tables.variants(done.variants))
    else:
        console.print("No precision variants were made yet.")


def _candidate(candidate: Candidate | None) -> Mapping[str, Any]:
    if candidate is None:
        return {"config": None, "measurement": None}
    return {
        "config": candidate.config.to_mapping(),
        "measurement": measurement_document(candidate.measurement),
    }


def _failure_status(failed: JobFailed) -> int:
    if failed.interrupted:
        return INTERRUPTED
    return FAILED if failed.unexpected else BAD_INPUT


def _fail(message: str, status: int, *, as_json: bool) -> int:
    print(f"autotune: {message}", file=sys.stderr)
    if as_json:
        word = "interrupted" if status == INTERRUPTED else "error"
        print(json.dumps({"status": word, "message": message}, indent=2))
    return status


def _show(
    ending: TuneDone | MeasureDone | VerifyDone | RecordDone | PlanDone, console: Console
) -> None:
    if isinstance(ending, RecordDone):
        failed = f", {ending.failed} of them failed" if ending.failed else ""
        console.print(f"Recorded {counted(ending.configs, 'configuration')}{failed}: {ending.path}")
        return
    if isinstance(ending, TuneDone):
        _show_tune(ending, console)
    elif isinstance(ending, PlanDone):
        console.print(tables.plan(ending))
        for restriction in ending.restrictions:
            console.print(f"Restriction: {restriction}")
        console.print(
            f"{counted(ending.size, 'configuration')} for {ending.model}: {ending.objective}."
        )
    elif isinstance(ending, VerifyDone):
        _show_verify(ending, console)
    elif isinstance(ending.outcome, Failed):
        console.print(
            f"Not measured ({ending.config}): {ending.outcome.reason}: {ending.outcome.detail}"
        )
    else:
        console.print(tables.one(ending.config, ending.outcome))
    if ending.simulated is not None:
        console.print(f"Simulated ({ending.simulated}): nothing was measured.")


def _show_verify(done: VerifyDone, console: Console) -> None:
    columns = [("recorded", Candidate(config=done.config, measurement=done.recorded))]
    if not isinstance(done.outcome, Failed):
        columns.append(("now", Candidate(config=done.config, measurement=done.outcome)))
    console.print(tables.comparison(columns, None))
    console.print()
    console.print(done.message)
    if isinstance(done.loadgen, Failed):
        console.print(f"LoadGen could not finish: {done.loadgen.reason}: {done.loadgen.detail}")
    elif done.loadgen is not None:
        console.print(_loadgen_line(done.loadgen))


def _loadgen_line(verdict: LoadGenVerdict) -> str:
    """Return LoadGen's verdict with the figures that it rests on."""
    latency = f"p{verdict.percentile:g} {tables.known(verdict.latency_ms, '{:.2f} ms')}"
    if verdict.target_latency_ms is not None:
        latency += f" of {verdict.target_latency_ms:g} ms"
    rate = f"{tables.known(verdict.completed_qps, '{:.1f}')} queries/s completed"
    if verdict.scheduled_qps is not None:
        rate += f" of {verdict.scheduled_qps:.1f} scheduled"
    early = "satisfied" if verdict.early_stopping else "not satisfied"
    line = (
        f"MLPerf LoadGen ({verdict.scenario}): {'VALID' if verdict.valid else 'INVALID'}, "
        f"{latency}, {rate}, early stopping {early}."
    )
    return line + (f" It was disturbed: {verdict.disturbed}." if verdict.disturbed else "")


def _beyond_default(winner: Candidate, default: Candidate, speedup: float | None) -> str:
    """Return how the winner compares with what its provider does when nobody tunes it."""
    if winner.config == default.config:
        return "The winner is the default of its own provider."
    ips = tables.known(default.measurement.throughput_ips, "{:.1f}")
    return (
        f"The winner had {tables.known(speedup, '{:.2f}')} times the throughput of its own "
        f"provider's default ({default.config}: {ips}/s), each measured once in the search."
    )


def _show_tune(done: TuneDone, console: Console) -> None:
    titles = {"ok": "winner", "infeasible": "closest", "interrupted": "best so far"}
    columns: list[tuple[str, Candidate]] = []
    if done.baseline is not None:
        columns.append(("baseline", done.baseline))
    if done.winner is not None:
        columns.append((titles[done.status], done.winner))
    if columns:
        console.print()
        console.print(tables.comparison(columns, done.speedup))
        console.print()
    console.print(done.message)
    if done.proven and done.winner is not None and "offered_ips" in done.winner.measurement.extra:
        measured = done.winner.measurement
        confirmed = measured.extra["offered_ips"] == measured.throughput_ips
        how = "confirmed" if confirmed else "predicted; latencies are those at the rate given"
        console.print(f"Throughput is the highest rate that keeps the budget ({how}).")
    if done.provider_default is not None and done.winner is not None:
        console.print(_beyond_default(done.winner, done.provider_default, done.provider_speedup))
    failed = f", {done.failed} of them failed" if done.failed else ""
    clock = "" if done.simulated is None else " of simulated time"
    console.print(
        f"{counted(done.trials, 'trial')}{failed} in {done.elapsed_s:.0f} s{clock}, "
        f"{done.window_share:.0%} of it in measuring windows; "
        f"the search ended because {done.stopped_because}."
    )
    if done.profile is not None:
        console.print(f"Profile: {done.profile}", soft_wrap=True)
        name = done.profile.rsplit("/", 1)[-1].removesuffix(".yaml")
        console.print(f"Next:    autotune profiles show {name}", soft_wrap=True)
