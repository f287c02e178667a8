from __future__ import annotations

import contextlib
import itertools
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from autotuner.characterize.sweeping import characterize
from autotuner.core.events import Started, TrialStarted
from autotuner.core.request import CharacterizeRequest, TuneRequest, Workload
from autotuner.tuning import Places, tune

TX2 = ("--device", "sim:jetson-tx2")
"""A simulated device: its figures are published ones, and nothing is measured."""


@pytest.fixture(scope="module")
def swept(shared_sandbox):
    """Sweep the batch sizes on the simulated device; return the folder and what was said."""
    out = shared_sandbox.home / "swept"
    done = shared_sandbox.run(
        "characterize", "inception-v2", *TX2, "--sweep", "batch_size=1,16,17,32,33",
        "--seconds", 60, "--out", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_the_published_steps_are_named(swept):
    """Throughput falls from 16 to 17 and from 32 to 33; nobody takes it for measured."""
    _, said = swept
    assert "; it falls by" in said
    assert "at batch 17 and by" in said
    assert "at batch 33." in said
    assert "Simulated: nothing was measured on a real jetson-tx2." in said


def test_the_report_is_one_page_that_needs_nothing_else(swept):
    """Every figure is in it and beside it, the numbers behind them too, marked as simulated."""
    folder, _ = swept
    page = (folder / "report.html").read_text()
    drawings = sorted(folder.glob("*.svg"))
    assert len(drawings) >= 4
    assert page.count("<svg") == len(drawings) == len(list(folder.glob("*.png")))
    assert "http-equiv" not in page
    assert "<script" not in page
    assert 'src="' not in page
    assert "Simulated: at least some of these figures were not measured." in page
    assert "throughput_<wbr>ips" in page
    for drawing in drawings:
        ET.parse(drawing)


def test_what_is_known_is_not_measured_again(sandbox):
    """The same sweep, grown by one value, has one configuration left."""

    def points(sizes):
        line = ("characterize", "inception-v2", *TX2, "--sweep", f"batch_size={sizes}", "--json")
        return json.loads(sandbox.run(*line).stdout)["sweep"]["points"]

    before, after = points("1,16"), points("1,2,16")
    assert len(after) == 3
    assert all(point in after for point in before)


def test_a_later_search_knows_what_a_sweep_measured(shared_sandbox, swept):
    """It measures nothing but what looks best once more; the first two were swept above."""
    line = ("inception-v2", *TX2, "--max-latency", "400ms", "--batch-sizes", "1,16,32")
    pinned = ("--workers", 1, "--power-modes", "MAXN", "--precisions", "fp32")
    done = shared_sandbox.run("tune", *line, *pinned, "--seed", 1, "--json")
    found = json.loads(done.stdout)
    assert swept[0].exists()
    assert found["config"]["batch_size"] == 16
    assert found["trials"] <= 3, done.stderr


def test_running_out_of_memory_costs_that_point_alone(shared_sandbox):
    """The rest is kept and reported on, and the words say where it was."""
    out = shared_sandbox.home / "lost"
    line = ("characterize", "inception-v2", *TX2, "--sweep", "batch_size=1,1024", "--out", out)
    done = shared_sandbox.run(*line)
    assert done.returncode == 0, done.stderr
    assert "batch 1024 could not be measured (oom)." in done.stdout
    assert len(json.loads((out / "sweep.json").read_text())["sweep"]["points"]) == 2


def test_results_of_several_boxes_are_compared(shared_sandbox, swept):
    """A line for each box, on one page."""
    other = shared_sandbox.home / "other"
    shared_sandbox.run(
        "characterize", "inception-v2", "--device", "sim:jetson-orin-nano",
        "--sweep", "batch_size=16", "--out", other,
    )  # fmt: skip
    out = shared_sandbox.home / "compared"
    done = shared_sandbox.run("compare", swept[0], other, "--out", out)
    assert done.returncode == 0, done.stderr
    page = (out / "report.html").read_text()
    assert "inception-v2 on jetson-tx2, jetson-orin-nano" in page


def test_a_sweep_that_takes_too_long_says_how_long(shared_sandbox, tiny_model):
    """And what to leave out; nothing is measured."""
    line = ("characterize", tiny_model, "--sweep", "batch_size=1..64", "--time", "10s")
    done = shared_sandbox.run(*line)
    assert done.returncode == 2
    assert "64 configurations left, about 128 s of measuring" in done.stderr
    assert "leave values of batch_size out" in done.stderr


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (("characterize", "squeezenet"), "Say what to sweep"),
        (("characterize", "squeezenet", "--sweep", "batch_size"), "is no sweep"),
        (("characterize", "squeezenet", "--sweep", "speed=1"), "There is no dimension 'speed'"),
        (("report", "missing.json"), "missing.json cannot be read"),
    ],
)
def test_bad_input_is_one_sentence(shared_sandbox, line, reason):
    """With what to do about it."""
    done = shared_sandbox.run(*line)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_without_findings_is_refused(shared_sandbox):
    """It says what makes one."""
    path = shared_sandbox.home / "other.json"
    path.write_text('{"status": "ok"}')
    done = shared_sandbox.run("report", path)
    assert done.returncode == 2
    assert "holds no findings; make it with `autotune characterize`" in done.stderr


def test_capacity_answers_from_measured_memory(shared_sandbox):
    """How many fit, and how many boxes an inspection line needs."""
    line = ("capacity", "inception-v2", *TX2, "--memory", "8GiB", "--batch-sizes", 1)
    task = ("--cameras", 4, "--images-per-item", 2, "--tiles", 9, "--seconds-per-item", 1.5)
    (fit,) = json.loads(shared_sandbox.run(*line, *task, "--json").stdout)["fits"]
    assert fit["instances"] == int(0.9 * 8192 / fit["instance_mib"])
    assert fit["boxes"] == -(-48 // fit["throughput_ips"])
    said = shared_sandbox.run(*line, *task).stdout
    assert "48 inferences/s need 2 boxes" in said


def test_two_protocols_know_nothing_of_each_other(shared_sandbox, swept):
    """What a window showed is no minimum of fifty runs; the output names its protocol."""
    out = shared_sandbox.home / "embench"
    line = ("characterize", "inception-v2", *TX2, "--sweep", "batch_size=1,16")
    done = shared_sandbox.run(*line, "--protocol", "embench", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "protocol embench" in done.stdout
    found = json.loads((out / "sweep.json").read_text())["sweep"]
    assert swept[0].exists()
    assert found["protocol"] == "embench"
    assert all("p99_ms" not in point["outcome"] for point in found["points"])
    assert all(point["outcome"]["extra"]["min_ms"] > 29.0 for point in found["points"])
    again = json.loads(shared_sandbox.run(*line, "--out", out, "--json").stdout)
    assert all("p99_ms" in point["outcome"] for point in again["sweep"]["points"])


def test_the_report_of_a_tuning_run_is_made_from_its_profile(shared_sandbox, swept):
    """By name or by path; everything that was measured is in it, the budget too."""
    line = ("inception-v2", *TX2, "--max-latency", "300ms", "--batch-sizes", "1,16", "--workers", 1)
    done = shared_sandbox.run("tune", *line, "--power-modes", "MAXN", "--json")
    path = Path(json.loads(done.stdout)["profile"])
    for number, name in enumerate((path, path.stem)):
        out = shared_sandbox.home / f"run{number}"
        done = shared_sandbox.run("report", name, "--out", out)
        assert done.returncode == 0, done.stderr
        page = (out / "report.html").read_text()
        assert swept[0].exists()
        assert "Tuning inception-v2 on jetson-tx2" in page
        assert "Wanted: maximize throughput_ips with p99_ms &lt;= 300" in page
        assert {"1-trade-off.svg", "1-search.png", "1-beside.svg"} <= set(map(_name, out.iterdir()))


def _name(path):
    return path.name


def test_each_model_may_have_inputs_and_an_accuracy_of_its_own(
    shared_sandbox, tiny_model, steady_model
):
    """One after the other on this very machine; a wrong number of files is refused."""
    files = []
    for name, side in (("tiny", 16), ("steady", 96)):
        files += ["--data", shared_sandbox.home / f"{name}.npz"]
        np.savez(files[-1], x=np.zeros((4, 3, side, side), np.float32))
    table = shared_sandbox.home / "table.yaml"
    table.write_text("tiny: 0.5\nsteady: 0.75\n")
    line = ("characterize", tiny_model, steady_model, *files, "--sweep", "batch_size=1,2")
    out = shared_sandbox.home / "both"
    quick = ("--seconds", 0.2, "--accuracy-table", table, "--out", out)
    done = shared_sandbox.run(*line, *quick)
    assert done.returncode == 0, done.stderr
    assert {"1-accuracy.svg", "1-models.svg"} <= set(map(_name, out.iterdir()))
    done = shared_sandbox.run(*line, "--data", files[1])
    assert done.returncode == 2
    assert "once for each in their order" in done.stderr


def test_a_search_knows_all_that_a_sweep_measured_here(tmp_path, tiny_model):
    """On this very machine: where the space was swept, it measures the best again and no more.

    The sweep names the precision, which is no choice for one runtime in the search.
    """
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    grid = {"batch_size": (1, 4), "workers": (1, 2), "intra_op_threads": (1,)}
    workload = Workload(model=str(tiny_model))
    swept = {**grid, "precision": ("fp32",)}
    asked = CharacterizeRequest(models=(workload.model,), dimensions=swept, seconds=0.2)
    cache = tmp_path / "cache"
    *_, end = characterize(asked, cache_dir=cache, storage=storage, cancelled=lambda: False)
    assert len(end.sweep.points) == 4
    only = {"provider": ("onnxruntime-cpu",), "affinity": ("none",)}
    request = TuneRequest(workload=workload, max_latency_ms=200.0, dimensions=grid | only)
    places = Places(profiles=tmp_path / "profiles", storage=storage, cache=cache)
    with contextlib.closing(tune(request, places=places, cancelled=lambda: False)) as events:
        started = next(event for event in events if isinstance(event, Started))
        trials = (event for event in events if isinstance(event, TrialStarted))
        reasons = [t.why for t in itertools.takewhile(lambda t: t.phase != "proof", trials)]
    assert started.known_trials == started.space_size == 4
    assert reasons[0] == "the runtime's default"
    assert all(reason.startswith("measure again") for reason in reasons[1:])
