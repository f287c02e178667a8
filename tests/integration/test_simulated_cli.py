import json
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from rich.console import Console

from autotuner import recorder, store
from autotuner.backends.simulated import recording
from autotuner.bench.harness import Cancelled
from autotuner.cli import endings, options, record, tune_options
from autotuner.core.deployable import reasons_to_refuse
from autotuner.core.errors import AutotunerError
from autotuner.core.events import Ending, JobFailed, Note, TrialDone
from autotuner.core.request import RecordRequest, VerifyRequest, Workload
from autotuner.execution import execute

NANO = ("--device", "sim:jetson-orin-nano")
SHORT = ("--trials", "6", "--percentile", "90", "--batch-sizes", "4,8", "--workers", "1")
UNREAL = "nothing was measured"
REQUESTS = {
    "tune": tune_options.tune_request,
    "measure": options.measure_request,
    "record": record.request,
    "verify": lambda chosen: VerifyRequest(profile=chosen.name, loadgen=chosen.loadgen),
}


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Run a command in this process, without a daemon between; return what it printed."""
    home = tmp_path_factory.mktemp("home")

    def run(*arguments):
        with pytest.MonkeyPatch.context() as patch:
            for name in ("STATE_DIR", "CACHE_DIR", "LOCK"):
                patch.setenv(f"AUTOTUNE_{name}", str(home / name.lower()))
            try:
                chosen = options.parse([*map(str, arguments)])
                events = [*execute(REQUESTS[chosen.verb](chosen), lambda: False)]
                ending = events[-1]
            except AutotunerError as error:
                events, ending = [], JobFailed(message=str(error))
        assert isinstance(ending, Ending)
        shown = [event.text for event in events if isinstance(event, Note)]
        if isinstance(ending, JobFailed):
            return SimpleNamespace(status=2, said=ending.message, shown=shown)
        console = Console(width=200, highlight=False)
        with console.capture() as captured:
            status = endings.conclude(ending, console, as_json=False, debug=False)
        return SimpleNamespace(status=status, said=captured.get(), shown=shown, ending=ending)

    return run


@pytest.fixture(scope="module")
def tuned(command):
    """Tune once on a simulated device."""
    return command(*NANO, "--max-latency", "50ms", "--objective", "energy", *SHORT)


@pytest.fixture(scope="module")
def recorded(command, tmp_path_factory, steady_model):
    """Record a small grid of this box and return the file."""
    path = tmp_path_factory.mktemp("recordings") / "steady.json"
    grid = ("--batch-sizes", "1,2", "--workers", "1", "--threads", "1", "--affinity", "none")
    provider = ("--provider", "onnxruntime-cpu")
    done = command("record", steady_model, "--out", path, *grid, *provider, "--seconds", "0.2")
    assert (done.status, "Recorded 2 configurations" in done.said) == (0, True)
    return path


def test_a_tuning_run_says_in_its_document_that_it_is_simulated(tuned):
    """And has what a real box may not tell: power, energy and clock."""
    document = endings.tune_document(tuned.ending)
    assert (document["status"], document["simulated"]) == ("ok", "jetson-orin-nano")
    measured = document["measurement"]
    assert measured["energy_j"] == pytest.approx(measured["power_w"] / measured["throughput_ips"])
    assert document["config"]["provider"] == "simulated"
    assert measured["clock_mhz"] in {408.0, 612.0, 918.0, 1020.0}


def test_its_profile_says_so_too(tuned):
    """In the file that is kept."""
    profile = yaml.safe_load(Path(tuned.ending.profile).read_text())
    assert profile["simulated"] == "jetson-orin-nano"
    assert profile["workload"]["device"] == "sim:jetson-orin-nano"
    assert profile["fingerprint"]["device"] == "sim:jetson-orin-nano"


def test_the_profile_can_be_verified_on_the_simulated_device(tuned, command):
    """Where else; LoadGen cannot, for it lives in real time."""
    done = command("verify", tuned.ending.profile)
    assert (done.status, done.ending.status) == (0, "kept")
    assert endings.verify_document(done.ending)["simulated"] == "jetson-orin-nano"
    refused = command("verify", tuned.ending.profile, "--loadgen")
    assert (refused.status, "simulated" in refused.said) == (2, True)


def test_a_simulated_profile_is_not_for_use(tuned):
    """It says nothing about a real box."""
    (reason,) = reasons_to_refuse(store.read(Path(tuned.ending.profile)))
    assert "simulated" in reason


@pytest.mark.parametrize(
    "arguments",
    [
        ("measure", *NANO, "--batch-size", "8", "--seconds", "20"),
        (*NANO, "--max-latency", "50ms", "--dry-run"),
    ],
    ids=["measure", "dry run"],
)
def test_every_screen_says_that_it_is_simulated(command, arguments):
    """First what it is, and last that nothing was measured."""
    done = command(*arguments)
    assert done.status == 0
    assert done.shown[0].startswith("Simulated: NVIDIA Jetson Orin Nano")
    assert UNREAL in done.said.splitlines()[-1]
    assert done.ending.simulated == "jetson-orin-nano"


def test_what_was_recorded_is_replayed(recorded, command):
    """The same times, and nothing but the grid."""
    replay = ("--device", f"replay:{recorded}")
    found = command("measure", *replay, "--batch-size", "2", "--threads", "1").ending
    assert found.simulated == "replay:steady.json"
    entries = json.loads(recorded.read_text())["entries"]
    kept = next(e for e in entries if e["config"]["batch_size"] == 2)["times"]["batch_ms"]
    assert kept[0] <= found.outcome.p50_ms <= kept[-1]
    assert command(*replay, "--max-latency", "1s", "--dry-run").ending.size == 2
    other = command("measure", *replay, "--batch-size", "3", "--threads", "1")
    assert (other.status, "not recorded" in other.said) == (2, True)


def test_a_replay_can_be_tuned(recorded, command):
    """To the end, with a profile that says where it comes from."""
    done = command("--device", f"replay:{recorded}", "--max-latency", "1s", "--percentile", "50")
    assert done.status == 0
    assert store.read(Path(done.ending.profile)).simulated == "replay:steady.json"


def test_a_replay_of_another_model_is_refused(recorded, command, tiny_model):
    """The message names both."""
    done = command("measure", tiny_model, "--device", f"replay:{recorded}")
    assert done.status == 2
    assert "a recording of steady, and tiny is another model" in done.said


def test_a_replay_has_no_power_to_judge(recorded, command):
    """Unless it was recorded."""
    done = command("--device", f"replay:{recorded}", "--objective", "energy")
    assert (done.status, "no measured power" in done.said) == (2, True)


def test_a_damaged_recording_is_refused(recorded, command, tmp_path):
    """Before anything is searched."""
    torn = tmp_path / "torn.json"
    torn.write_bytes(recorded.read_bytes()[:500])
    done = command("measure", "--device", f"replay:{torn}")
    assert (done.status, "is damaged" in done.said) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--device", "sim:tx3", "--max-latency", "5ms"), "choose from sim:jetson-agx-orin"),
        (("--device", "tx2", "--max-latency", "5ms"), "write sim:NAME"),
        (("measure", *NANO, "--power-mode", "MAXQ"), "choose from 7W, 15W, 25W, MAXN_SUPER"),
        (("measure", *NANO, "--threads", "2"), "accelerator"),
        (("measure", "ssd-mobilenet", *NANO), "jetson-orin-nano knows"),
        (("--objective", "energy", *NANO, "--max-power", "15"), "has no unit"),
        (("record", *NANO, "--out", "x.json"), "Only a real box"),
    ],
)
def test_bad_input_is_answered_with_what_to_do(command, arguments, complaint):
    """One sentence that says so."""
    done = command(*arguments)
    assert done.status == 2
    assert complaint in done.said


def test_power_is_a_constraint(command):
    """Of the whole device, and of a rail of its own."""
    bounds = ("--max-power", "9W", "--max-power", "GPU=4W")
    found = command(*NANO, "--max-latency", "100ms", *bounds, *SHORT).ending
    assert found.status == "ok"
    assert found.winner.measurement.power_w <= 9.0
    assert found.winner.measurement.extra["power_w.GPU"] <= 4.0
    assert "power_w.GPU <= 4" in found.objective


def test_a_budget_of_power_that_nothing_keeps_is_explained(command):
    """With the one that would be kept."""
    done = command(*NANO, "--max-latency", "100ms", "--max-power", "2W", *SHORT)
    assert done.status == 3
    assert "--max-power" in done.said


def test_a_recording_that_is_called_off_keeps_what_was_measured(tmp_path, tiny_model):
    """It can be replayed as far as it goes; called off before, there is nothing."""
    asked = RecordRequest(
        workload=Workload(model=str(tiny_model)),
        out=str(tmp_path / "part.json"),
        dimensions={
            "batch_size": (1, 2, 3),
            "workers": (1,),
            "intra_op_threads": (1,),
            "affinity": ("none",),
            "provider": ("onnxruntime-cpu",),
            "precision": ("fp32",),
        },
        seconds=0.1,
    )
    stop = threading.Event()
    for event in recorder.record(asked, cache_dir=tmp_path, cancelled=stop.is_set):
        if isinstance(event, TrialDone):
            stop.set()
    assert (event.status, event.configs) == ("interrupted", 1)
    assert len(recording.read(tmp_path / "part.json").entries) == 1
    with pytest.raises(Cancelled):
        [*recorder.record(asked, cache_dir=tmp_path, cancelled=lambda: True)]
