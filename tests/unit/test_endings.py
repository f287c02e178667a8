from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from autotuner.cli import endings, tables
from autotuner.core.config import Config
from autotuner.core.events import (
    Candidate,
    JobFailed,
    LoadGenVerdict,
    MeasureDone,
    PlanDone,
    TuneDone,
    VerifyDone,
)
from autotuner.core.outcome import Failed, Measurement

MEASURED = Measurement(
    throughput_ips=81.5,
    p50_ms=10.0,
    p90_ms=11.0,
    p95_ms=12.0,
    p99_ms=13.0,
    max_ms=14.0,
    mean_ms=10.5,
    n=300,
    memory_mib=120.4,
    intervals={"throughput_ips": (80.0, 83.0), "p99_ms": (12.5, None)},
    extra={"p99.9_ms": 13.9, "load_s": 0.2},
)
ELECTRICAL = {
    "power_w": 7.5,
    "energy_j": 0.09202,
    "energy_net_j": 0.04294,
    "ips_per_w": 10.87,
    "clock_mhz": 612.0,
    "throttled": False,
}
METERED = replace(
    MEASURED,
    power_w=7.5,
    energy_j=0.09202,
    clock_mhz=612.0,
    throttled=False,
    extra={
        "p99.9_ms": 13.9,
        "load_s": 0.2,
        "idle_power_w": 4.0,
        "energy_net_j": 0.04294,
        "ips_per_w": 10.87,
    },
)
WINNER = Candidate(config=Config(batch_size=4, workers=2, intra_op_threads=1), measurement=MEASURED)
BASELINE = Candidate(config=Config(), measurement=Measurement(throughput_ips=50.0))
LATENCIES = {
    "p50": 10.0,
    "p90": 11.0,
    "p95": 12.0,
    "p99": 13.0,
    "mean": 10.5,
    "max": 14.0,
    "p99.9": 13.9,
}


def tune_done(status="ok", **changed):
    """Return the end of a tuning run."""
    fields = {
        "message": "Proven: p99_ms <= 50 with 95% confidence.",
        "model": "net",
        "objective": "maximize throughput_ips with p99_ms <= 50",
        "stopped_because": "4 trials were made",
        "winner": WINNER,
        "baseline": BASELINE,
        "speedup": 1.63,
        "proven": status == "ok",
        "profile": "/state/profiles/net_throughput_ips_p99_ms-50_0123456789ab.yaml",
        "trials": 4,
        "failed": 1,
        "elapsed_s": 12.3,
        "window_share": 0.66,
    }
    return TuneDone(status=status, **fields | changed)


PLAN = PlanDone(
    model="net",
    objective="maximize throughput_ips with p99_ms <= 50",
    dimensions={"batch_size": (1, 2), "intra_op_threads": (1, None)},
    restrictions=("Have few threads.",),
    size=4,
)
MEASURE = MeasureDone(model="net", config=WINNER.config, outcome=MEASURED, elapsed_s=3.4)
NOT_MEASURED = MeasureDone(
    model="net", config=WINNER.config, outcome=Failed("oom", "too big"), elapsed_s=0.4
)
FAULT = JobFailed(message="This is a fault.", unexpected=True, traceback="Traceback: x\n")


def verify_done(status, **more):
    """Return the end of a verification."""
    return VerifyDone(
        status=status,
        message=f"The profile is {status}.",
        model="net",
        config=WINNER.config,
        recorded=MEASURED,
        outcome=MEASURED,
        elapsed_s=2.5,
        **more,
    )


@pytest.fixture
def end(capsys):
    """End a command with an event; return its status, what it printed and what it said beside."""

    def end(ending, *, as_json=False, debug=False):
        console = Console(file=io.StringIO(), width=100, highlight=False)
        status = endings.conclude(ending, console, as_json=as_json, debug=debug)
        printed = capsys.readouterr()
        return status, printed.out + console.file.getvalue(), printed.err

    return end


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (tune_done("ok"), 0),
        (tune_done("infeasible"), 3),
        (tune_done("interrupted"), 130),
        (PLAN, 0),
        (MEASURE, 0),
        (NOT_MEASURED, 1),
        (verify_done("kept"), 0),
        (verify_done("broken"), 1),
        (verify_done("stale"), 4),
        (JobFailed(message="Mend the model."), 2),
        (JobFailed(message="Called off.", interrupted=True), 130),
        (FAULT, 1),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_the_exit_status_tells_what_came_of_it(end, ending, status, as_json):
    """The same with and without --json, which prints one document whatever happened."""
    found, out, _ = end(ending, as_json=as_json)
    assert found == status
    if as_json:
        assert json.loads(out)["status"]


def test_a_tuning_run_has_every_key_that_was_promised():
    """Scripts rely on these names."""
    document = endings.tune_document(tune_done())
    assert document["status"] == "ok"
    assert document["message"].startswith("Proven")
    assert document["profile"].endswith(".yaml")
    assert document["config"]["batch_size"] == 4
    assert document["measurement"]["throughput_ips"] == 81.5
    assert document["measurement"]["latency_ms"] == LATENCIES
    assert document["measurement"]["n"] == 300
    assert document["baseline"]["config"]["batch_size"] == 1
    assert document["baseline"]["measurement"]["throughput_ips"] == 50.0
    assert document["speedup"] == 1.63
    assert document["trials"] == 4
    assert document["elapsed_s"] == 12.3


def test_the_keys_are_there_when_nothing_was_found():
    """What is not known is null."""
    done = tune_done("interrupted", winner=None, baseline=None, speedup=None, profile=None)
    document = endings.tune_document(done)
    unknown = ("config", "measurement", "baseline", "speedup", "profile")
    assert {name: document[name] for name in unknown} == dict.fromkeys(unknown)
    assert document.keys() == endings.tune_document(tune_done()).keys()


def test_a_configuration_has_every_setting_in_the_document():
    """A script must not know the defaults."""
    config = endings.tune_document(tune_done())["baseline"]["config"]
    assert config["intra_op_threads"] is None
    assert config.keys() == Config().to_mapping().keys()


def test_one_measurement_has_the_same_configuration_and_measurement():
    """As that of a tuning run."""
    document = endings.measure_document(MEASURE)
    tuned = endings.tune_document(tune_done())
    assert {k: document[k] for k in ("config", "measurement")} == {
        k: tuned[k] for k in ("config", "measurement")
    }


def test_a_measurement_that_failed_says_why():
    """Under ``failed``, with the configuration it was about."""
    document = endings.measure_document(NOT_MEASURED)
    assert document["status"] == "failed"
    assert document["failed"] == {"reason": "oom", "detail": "too big"}
    assert document["config"]["batch_size"] == 4


@pytest.mark.parametrize(("valid", "word"), [(True, "VALID"), (False, "INVALID")])
def test_loadgens_verdict_stands_beside_ours_and_changes_no_status(end, valid, word):
    """With the figures that it rests on, in the line and in the document."""
    verdict = LoadGenVerdict(
        scenario="Server",
        valid=valid,
        percentile=99.0,
        latency_ms=31.25,
        target_latency_ms=50.0,
        target_qps=80.0,
        scheduled_qps=80.1,
        completed_qps=79.9,
        early_stopping=valid,
    )
    status, out, _ = end(verify_done("kept", loadgen=verdict))
    assert status == 0
    said = "p99 31.25 ms of 50 ms, 79.9 queries/s completed of 80.1 scheduled"
    assert f"MLPerf LoadGen (Server): {word}, {said}" in " ".join(out.split())
    document = endings.verify_document(verify_done("kept", loadgen=verdict))
    assert document["loadgen"]["valid"] is valid
    assert document["loadgen"]["completed_qps"] == 79.9


def test_a_run_of_loadgen_that_failed_says_why(end):
    """Nothing is made up, and a verification without LoadGen says nothing of it."""
    _, out, _ = end(verify_done("kept", loadgen=Failed("crashed", "a worker was ended")))
    assert "LoadGen could not finish: crashed: a worker was ended" in out
    _, out, _ = end(verify_done("kept"))
    assert "LoadGen" not in out
    assert endings.verify_document(verify_done("kept"))["loadgen"] is None


def test_a_dry_run_lists_the_space():
    """With its size."""
    document = endings.plan_document(PLAN)
    assert document["dimensions"] == {"batch_size": [1, 2], "intra_op_threads": [1, None]}
    assert document["size"] == 4


def test_the_end_names_the_profile_and_the_next_command(end):
    """On lines of their own, so that they can be copied."""
    _, out, _ = end(tune_done())
    lines = out.splitlines()
    assert f"Profile: {tune_done().profile}" in lines
    (following,) = (line for line in lines if line.startswith("Next:"))
    assert following.endswith("autotune profiles show net_throughput_ips_p99_ms-50_0123456789ab")


def test_the_end_tells_trials_failures_and_the_share_of_windows(end):
    """And why the search ended."""
    _, out, _ = end(tune_done())
    text = " ".join(out.split())
    assert "4 trials, 1 of them failed in 12 s, 66% of it in measuring windows" in text
    assert "the search ended because 4 trials were made." in text


@pytest.mark.parametrize(
    ("status", "title"),
    [("ok", "winner"), ("infeasible", "closest"), ("interrupted", "best so far")],
)
def test_the_table_says_what_it_shows(end, status, title):
    """A closest configuration is never called a winner."""
    _, out, _ = end(tune_done(status, profile=None))
    titles = {"winner", "closest", "best so far"}
    assert {name for name in titles if name in out.splitlines()[1]} == {title}


def test_nothing_is_shown_of_what_is_not_there(end):
    """A run that was ended at once has no table."""
    _, out, _ = end(tune_done("interrupted", winner=None, baseline=None, profile=None))
    assert out.startswith("Proven")
    assert "Profile" not in out


def test_an_error_is_one_line_on_standard_error(end):
    """Standard output stays empty, or holds the document."""
    status, out, err = end(JobFailed(message="Mend the model.", traceback="Traceback: x\n"))
    assert (status, out, err) == (2, "", "autotune: Mend the model.\n")
    _, out, _ = end(JobFailed(message="Mend the model."), as_json=True)
    assert json.loads(out) == {"status": "error", "message": "Mend the model."}


def test_the_traceback_is_shown_on_demand_only(end):
    """It is for whoever reports a fault."""
    assert "Traceback" not in end(FAULT)[2]
    assert "Traceback" in end(FAULT, debug=True)[2]


def test_an_error_before_the_job_is_told_the_same_way(capsys):
    """Bad usage and an unwritable folder never reach a job."""
    assert endings.complain(ValueError("Say what."), as_json=True, debug=False) == 2
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"status": "error", "message": "Say what."}
    assert printed.err == "autotune: Say what.\n"


def shown(table):
    """Return the rows of *table* as printed, by their first cell."""
    console = Console(file=io.StringIO(), width=140, highlight=False)
    console.print(table)
    rows = (line.partition("  ") for line in console.file.getvalue().splitlines())
    return {name.strip(): rest.strip() for name, _, rest in rows}


def test_the_comparison_has_a_row_for_every_figure():
    """Intervals in brackets, ? for what is not known, the unusual percentile too."""
    rows = shown(tables.comparison([("baseline", BASELINE), ("winner", WINNER)], 1.63))
    assert rows["configuration"].split("  ")[0] == "batch 1, 1 worker x default threads"
    assert rows["throughput"].endswith("81.5/s (80.0 to 83.0)")
    assert rows["latency p99"].split() == ["?", "13.00", "ms", "(12.50", "to", "?)"]
    assert rows["latency p99.9"].split() == ["?", "13.90", "ms"]
    assert rows["batches"].split() == ["?", "300"]
    assert rows["memory"].split() == ["?", "120", "MiB"]
    assert rows["ratio"].split() == ["1.00", "1.63"]


def test_power_energy_clock_and_heat_are_shown_where_they_are_known():
    """With their units, gross and net; the baseline was measured without sensors."""
    metered = replace(WINNER, config=replace(WINNER.config, power_mode="15W"), measurement=METERED)
    rows = shown(tables.comparison([("baseline", BASELINE), ("winner", metered)], None))
    assert rows["configuration"].endswith("1 thread, 15W")
    assert rows["power"].split() == ["?", "7.5", "W"]
    assert rows["energy"].split() == ["?", "0.09202", "J/inference"]
    assert rows["net of idle"].split() == ["?", "0.04294", "J/inference"]
    assert rows["efficiency"].split() == ["?", "10.87", "inferences/s", "per", "W"]
    assert rows["clock"].split() == ["?", "612", "MHz"]
    assert rows["throttled"].split() == ["?", "no"]


def test_a_trial_that_began_hot_or_unsettled_says_so():
    """A row for each, only where it happened."""
    extra = {"start_temperature_c": 85.4, "hot_start": 1.0, "clocks_settled": 0.0}
    warm = Candidate(config=Config(), measurement=replace(MEASURED, extra=extra))
    fine = {"start_temperature_c": 41.0, "hot_start": 0.0, "clocks_settled": 1.0}
    cool = Candidate(config=Config(), measurement=replace(MEASURED, extra=fine))
    rows = shown(tables.comparison([("baseline", cool), ("winner", warm)], None))
    assert rows["hot start"].split() == ["no", "85", "°C"]
    assert rows["clocks settled"].split() == ["yes", "no"]
    assert {"hot start", "clocks settled"}.isdisjoint(shown(tables.one(Config(), cool.measurement)))


def test_what_no_sensor_shows_has_no_row():
    """A box without sensors need not read question marks."""
    rows = shown(tables.comparison([("baseline", BASELINE), ("winner", WINNER)], None))
    absent = {"power", "energy", "net of idle", "efficiency", "clock", "throttled"}
    assert absent.isdisjoint(rows)
    assert endings.measurement_document(MEASURED).keys().isdisjoint(ELECTRICAL)


def test_a_document_has_power_and_energy_where_they_are_known():
    """Each once, beside the other figures."""
    document = endings.measurement_document(METERED)
    assert {name: document[name] for name in ELECTRICAL} == ELECTRICAL
    assert document["extra"] == {"load_s": 0.2, "idle_power_w": 4.0}


def test_one_column_has_no_ratio():
    """There is nothing to compare with."""
    assert "ratio" not in shown(tables.one(WINNER.config, MEASURED))


def test_the_default_model_is_marked():
    """And the mark is explained."""
    rows = shown(tables.models({"a": "first", "b": "second"}, "b"))
    assert rows["b *"] == "second"
    assert "* the default" in rows.values()


def test_the_plan_names_the_runtime_s_default():
    """Nobody types ``None``."""
    assert shown(tables.plan(PLAN))["intra_op_threads"] == "1, default"


def test_a_tuning_run_says_what_it_brought_beyond_the_providers_default(end):
    """As the search saw it, and that it did so once; without news nothing is said."""
    default = Candidate(
        config=Config(provider="openvino-cpu"), measurement=Measurement(throughput_ips=65.2)
    )
    done = tune_done(provider_default=default, provider_speedup=1.25)
    words = " ".join(end(done)[1].split())
    assert "1.25 times the throughput of its own provider's default" in words
    assert "(batch 1, 1 worker x default threads, openvino-cpu: 65.2/s)" in words
    assert "each measured once in the search" in words
    document = json.loads(end(done, as_json=True)[1])
    assert document["provider_default"]["measurement"]["throughput_ips"] == 65.2
    assert document["provider_speedup"] == 1.25
    itself = tune_done(provider_default=WINNER, provider_speedup=1.0)
    assert "The winner is the default of its own provider." in end(itself)[1]
    assert "provider's default" not in " ".join(end(tune_done())[1].split())
    assert json.loads(end(tune_done(), as_json=True)[1])["provider_default"] is None
