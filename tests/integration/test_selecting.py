"""Which of several networks to use, asked of a simulated device and checked exhaustively there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autotuner import plan, venue
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.errors import InputError
from autotuner.core.events import SelectDone
from autotuner.core.outcome import Failed
from autotuner.core.request import SelectRequest, TuneRequest, Workload
from autotuner.selecting import select
from autotuner.tuning import Places

DEVICE = "sim:jetson-orin-nano"
ACCURACIES = {"squeezenet": 0.58, "mobilenet-v2": 0.72, "inception-v2": 0.74, "resnet-50": 0.76}
WINDOW = Window(min_s=5.0, max_s=5.0)


def selected(folder, budget_ms, accuracies=None, models=tuple(ACCURACIES)):
    """Ask for the best of *models* within a budget for the median."""
    table = folder / "accuracies.yaml"
    table.write_text("".join(f"{name}: {a}\n" for name, a in (accuracies or ACCURACIES).items()))
    request = SelectRequest(
        models=models,
        tune=TuneRequest(
            workload=Workload(device=DEVICE),
            max_latency_ms=budget_ms,
            percentile=50.0,
            max_trials=12,
        ),
        accuracy_table=str(table),
    )
    places = Places(
        profiles=folder / "profiles", storage=f"sqlite:///{folder}/studies.db", cache=folder
    )
    return list(select(request, places=places, cancelled=lambda: False))[-1]


@pytest.fixture(scope="module")
def quickest_ms(tmp_path_factory):
    """Return the shortest median latency of each network, over every configuration there is."""
    cache, found = tmp_path_factory.mktemp("cache"), {}
    for model in ACCURACIES:
        workload = Workload(model=model, device=DEVICE)
        about = venue.resolve(workload, cache)
        latencies = []
        with venue.open_bench(about, 0, lambda: False, lambda _: Path()) as bench:
            for settings in plan.search_space(about, {"batch_size": (1,), "workers": (1,)}):
                run = bench.measure(Config.from_mapping(settings), WINDOW)
                if not isinstance(run, Failed):
                    latencies.append(run.measurement(50.0, 0.95).p50_ms)
        found[model] = min(latencies)
    return found


def test_the_answer_is_that_of_exhaustive_measurement(tmp_path, quickest_ms):
    """For three budgets, each of which keeps other networks out."""
    ordered = sorted(quickest_ms.values())
    budgets = [1.15 * ordered[0], (ordered[1] + ordered[2]) / 2.0, 2.0 * ordered[-1]]
    for budget_ms in budgets:
        able = [name for name in ACCURACIES if quickest_ms[name] <= budget_ms]
        done = selected(tmp_path, budget_ms)
        assert isinstance(done, SelectDone)
        assert done.model == max(able, key=ACCURACIES.get)
        proven = {option.model for option in done.options if option.status == "ok"}
        assert proven == set(able)


def test_a_model_without_an_accuracy_is_named(tmp_path):
    """Before anything is measured."""
    with pytest.raises(InputError, match="has no accuracy for mobilenet-v2; add a line"):
        selected(tmp_path, 50.0, {"squeezenet": 0.58})


def test_a_model_that_cannot_be_used_costs_itself_alone(tmp_path):
    """The others are tuned, and the reason stands beside it."""
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    accuracies = {"broken": 0.99, "squeezenet": 0.58}
    done = selected(tmp_path, 1000.0, accuracies, (str(broken), "squeezenet"))
    assert done.model == "squeezenet"
    assert [option.status for option in done.options] == ["failed", "ok"]
    assert "broken.onnx" in done.options[0].why


def test_the_command_line_answers_in_words_and_in_json(sandbox, tmp_path):
    """The most accurate one is named, and the front beside it."""
    table = tmp_path / "accuracies.yaml"
    table.write_text("squeezenet: 0.58\nmobilenet-v2: 0.72\n")
    done = sandbox.run(
        *("select", "squeezenet", "mobilenet-v2", "--device", DEVICE, "--max-latency", "1s"),
        *("--accuracy-table", table, "--json"),
    )
    document = json.loads(done.stdout)
    assert (done.returncode, document["model"]) == (0, "mobilenet-v2")
    assert document["front"][-1] == "mobilenet-v2"
    assert all(option["config"] for option in document["options"])


def test_the_cache_of_variants_is_listed_and_cleared(sandbox):
    """An empty one says so."""
    assert "No precision variants were made yet." in sandbox.run("cache").stdout
    assert "Cleared: 0.0 MiB" in sandbox.run("cache", "clear").stdout
    assert json.loads(sandbox.run("cache", "--json").stdout) == {"status": "ok"}
