from __future__ import annotations

import pytest

from autotuner.cli import record
from autotuner.cli.options import VERBS, measure_request, parse
from autotuner.cli.tune_options import tune_request
from autotuner.core.config import BASELINE, Config
from autotuner.core.errors import InputError
from autotuner.core.request import DEFAULT_SEARCH_SECONDS, MeasureRequest, TuneRequest, Workload

MODELS = ("resnet-50", "missing.onnx", "folder/missing", "network")


def tuning(line=""):
    """Return the tuning request that the words of *line* spell."""
    return tune_request(parse(line.split()))


def measuring(line):
    """Return the request for one measurement that the words of *line* spell."""
    return measure_request(parse(["measure", *line.split()]))


def test_the_shortest_command_tunes_the_default_model():
    """Everything else has a default."""
    assert tuning("--max-latency 50ms") == TuneRequest(max_latency_ms=50.0)
    assert tuning("--max-latency 50ms").max_seconds == DEFAULT_SEARCH_SECONDS


@pytest.mark.parametrize(
    "line", ["net.onnx --max-latency 50ms", "--max-latency 50ms net.onnx", "tune net.onnx --json"]
)
def test_tuning_is_the_default_verb(line):
    """Whatever stands first, unless it is another verb."""
    assert parse(line.split()).verb == "tune"


@pytest.mark.parametrize("verb", ["measure", "models", "profiles"])
def test_a_verb_wins_over_a_file_of_its_name(monkeypatch, tmp_path, verb):
    """What it does must not depend on the folder it is typed in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / verb).touch()
    assert parse([verb]).verb == verb


def test_a_model_called_as_a_verb_can_still_be_named(tmp_path, monkeypatch):
    """As a path, or after the verb."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").touch()
    named = str(tmp_path / "models")
    assert tuning("./models --max-latency 5ms").workload.model == named
    assert tuning("tune models --max-latency 5ms").workload.model == named


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("500us", 0.5), ("50ms", 50.0), ("0.05s", 50.0), ("2m", 120_000.0)]
)
def test_a_budget_is_read_with_its_unit(text, milliseconds):
    """Whatever unit, the request holds milliseconds."""
    assert tuning(f"--max-latency {text}").max_latency_ms == pytest.approx(milliseconds)


def test_every_option_reaches_the_request(tmp_path, monkeypatch):
    """Paths become absolute ones, for the daemon has a folder of its own."""
    monkeypatch.chdir(tmp_path)
    line = (
        "net.onnx --max-latency 20ms --percentile 99.9 --objective latency --min-throughput 5 "
        "--max-memory 2GiB --confidence 0.9 --batch-sizes 1..3 --workers 1,2 --threads 2,default "
        "--affinity none,compact --providers onnxruntime-cpu --trials 7 --time 2m --sampler tpe "
        "--first --pareto --storage sqlite:///s.db --fresh --dry-run --out results "
        "--shape x=3x8x8 --shape y=4 --data samples.npz --seed 5 --plain --json --debug"
    )
    assert tuning(line) == TuneRequest(
        workload=Workload(
            model=str(tmp_path / "net.onnx"),
            shapes=("x=3x8x8", "y=4"),
            data=str(tmp_path / "samples.npz"),
            seed=5,
        ),
        goal="latency",
        max_latency_ms=20.0,
        percentile=99.9,
        min_throughput_ips=5.0,
        max_memory_mib=2048.0,
        confidence=0.9,
        max_trials=7,
        max_seconds=120.0,
        first=True,
        dimensions={
            "batch_size": (1, 2, 3),
            "workers": (1, 2),
            "intra_op_threads": (2, None),
            "affinity": ("none", "compact"),
            "provider": ("onnxruntime-cpu",),
        },
        sampler="tpe",
        storage="sqlite:///s.db",
        fresh=True,
        pareto=True,
        out=str(tmp_path / "results"),
        dry_run=True,
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("--batch-sizes 4", "--batch-size 4"),
        ("--workers 2", "--worker 2"),
        ("--threads 2", "--thread 2"),
        ("--affinity none", "--affinities none"),
        ("--providers onnxruntime-cpu", "--provider onnxruntime-cpu"),
    ],
)
def test_singular_and_plural_mean_the_same(one, other):
    """For both verbs that take them."""
    assert tuning(f"--max-latency 5ms {one}") == tuning(f"--max-latency 5ms {other}")
    assert measuring(one) == measuring(other)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("4", (4,)),
        ("1,4", (1, 4)),
        ("2..4", (2, 3, 4)),
        ("default", (None,)),
        ("default,2", (2, None)),
    ],
)
def test_threads_may_be_left_to_the_runtime(text, values):
    """The runtime's default is the last rung of that ladder."""
    assert tuning(f"--max-latency 5ms --threads {text}").dimensions["intra_op_threads"] == values


def test_a_name_stays_a_name_and_a_file_becomes_a_path(tmp_path, monkeypatch):
    """A reference model is no file; a file may have any name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "network").touch()
    models = {text: tuning(f"{text} --max-latency 5ms").workload.model for text in MODELS}
    assert models == {
        "resnet-50": "resnet-50",
        "missing.onnx": str(tmp_path / "missing.onnx"),
        "folder/missing": str(tmp_path / "folder/missing"),
        "network": str(tmp_path / "network"),
    }


def test_a_measurement_without_options_is_that_of_the_baseline():
    """Three seconds of it."""
    assert measuring("") == MeasureRequest(config=BASELINE, seconds=3.0)


def test_a_measurement_takes_one_configuration():
    """Seconds are a bare number there."""
    line = "resnet-50 --batch-size 4 --workers 2 --threads 1 --affinity compact --seconds 0.5"
    assert measuring(line) == MeasureRequest(
        workload=Workload(model="resnet-50"),
        config=Config(batch_size=4, workers=2, intra_op_threads=1, affinity="compact"),
        seconds=0.5,
    )
    assert measuring("--threads default").config.intra_op_threads is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--max-latency 50", "--max-latency: The duration '50' has no unit; write it such as 50ms"),
        ("--max-latency 0ms", "'0ms' must be above zero"),
        ("--max-latency -5ms", "'-5ms' must be above zero"),
        ("--max-latency fast", "'fast' is no duration"),
        ("--max-latency 5parsec", "unknown unit 'parsec'"),
        ("--max-latency", "--max-latency: expected one argument"),
        ("--max-latency 5ms --tials 4", "Unrecognized arguments: --tials"),
        ("--max-lat 5ms", "Unrecognized arguments"),
        ("a.onnx b.onnx --max-latency 5ms", "Unrecognized arguments: b.onnx"),
        ("--max-latency 5ms --trials 0", "'0' must be a whole number from 1 on"),
        ("--max-latency 5ms --trials -4", "'-4' must be a whole number from 1 on"),
        ("--max-latency 5ms --time 30", "'30' has no unit"),
        ("--max-latency 5ms --batch-sizes 4..1", "is no range"),
        ("--max-latency 5ms --batch-sizes 0", "is no range of positive numbers"),
        ("--max-latency 5ms --threads default,", "is no list of numbers"),
        ("--max-latency 5ms --affinity ,", "lists nothing"),
        ("--max-latency 5ms --max-memory 5", "The size '5' has no unit; write it such as 512MiB"),
        ("--max-latency 5ms --min-throughput nan", "'nan' must be above zero"),
        ("--max-latency 5ms --percentile x", "'x' is no number"),
        ("--max-latency 5ms --percentile 100", "between 0 and 100"),
        ("--max-latency 5ms --percentile nan", "between 0 and 100"),
        ("--max-latency 5ms --confidence 1", "at least 0.5 and below 1"),
        ("--max-latency 5ms --objective speed", "choose from '?throughput"),
        ("", "Give the latency budget, such as --max-latency 50ms"),
        ("net.onnx", "Give the latency budget"),
    ],
)
def test_bad_usage_is_one_sentence_about_what_was_typed(line, message):
    """It names the option and shows what to write instead."""
    with pytest.raises(InputError, match=message) as caught:
        tuning(line)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--batch-size 1,2", "'1,2' must be a whole number"),
        ("--threads 1,2", "'1,2' must be one number"),
        ("--threads x", "--thread: 'x' is no list"),
        ("--seconds 0", "'0' must be above zero"),
        ("--seconds 3s", "'3s' is no number"),
    ],
)
def test_one_measurement_has_one_value_for_everything(line, message):
    """A list is refused rather than cut."""
    with pytest.raises(InputError, match=message):
        measuring(line)


def test_the_help_names_every_verb_and_the_options_of_the_main_job(capsys):
    """A newcomer needs one page."""
    with pytest.raises(SystemExit) as ended:
        parse(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(f"\n    {verb}" in text for verb in VERBS)
    assert all(option in text for option in ("--max-latency", "--trials", "--dry-run", "--json"))


def test_power_is_bound_by_device_and_by_rail():
    """As often as there are rails."""
    asked = tuning("--objective energy --max-power 15W --max-power GPU=6500mW")
    assert asked.goal == "energy"
    assert asked.max_power_w == {"": 15.0, "GPU": 6.5}


def test_a_recording_is_found_from_everywhere(tmp_path, monkeypatch):
    """The daemon has a folder of its own."""
    monkeypatch.chdir(tmp_path)
    assert measuring("--device replay:box.json").workload.device == f"replay:{tmp_path}/box.json"
    assert measuring("--device sim:titan-v").workload.device == "sim:titan-v"


def test_a_grid_is_recorded_into_a_file(tmp_path, monkeypatch):
    """What is not narrowed is recorded whole."""
    monkeypatch.chdir(tmp_path)
    chosen = parse(
        ["record", "squeezenet", "--out", "box.json", "--batch-sizes", "1..4", "--workers", "1"]
    )
    asked = record.request(chosen)
    assert asked.out == f"{tmp_path}/box.json"
    assert asked.dimensions == {"batch_size": (1, 2, 3, 4), "workers": (1,)}
