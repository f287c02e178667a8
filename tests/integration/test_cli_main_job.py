"""The command line end to end: the main job and the verbs beside it, as real processes."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import time
from pathlib import Path

import jsonschema
import pytest
import yaml
from onnx import TensorProto
from sandbox import FEW, PATIENCE_S, QUICK

SCHEMA = Path(__file__).parents[2] / "profiles" / "profile.schema.json"
BUDGET = ("--max-latency", "10s", *QUICK)
MAIN = (*BUDGET, *FEW, "1,16", "--trials", "2", "--time", "1m")
LONG = (*BUDGET, "--trials", "60", "--time", "2m")
LATENCIES = {"p50", "p90", "p95", "p99", "mean", "max"}


@pytest.fixture(scope="module")
def tuned(shared_sandbox, trivial_model):
    """Tune once for all tests that look at the result; later runs replace the profile."""
    done = shared_sandbox.run(trivial_model, *MAIN, "--out", "copies", "--json")
    profile = Path(json.loads(done.stdout)["profile"])
    (shared_sandbox.home / "first.yaml").write_bytes(profile.read_bytes())
    return done


def test_the_main_job_finds_a_configuration(tuned):
    """Exit status 0 and one document with every promised key."""
    assert tuned.returncode == 0, tuned
    document = json.loads(tuned.stdout)
    assert document["status"] == "ok"
    assert document["trials"] == 2
    assert document["elapsed_s"] > 0
    for found in (document, document["baseline"]):
        assert found["config"]["batch_size"] >= 1
        assert found["measurement"]["throughput_ips"] > 0
        assert found["measurement"]["latency_ms"].keys() >= LATENCIES
        assert found["measurement"]["n"] >= 5
    assert document["measurement"]["latency_ms"]["p50"] <= 10_000
    assert document["speedup"] == pytest.approx(
        document["measurement"]["throughput_ips"]
        / document["baseline"]["measurement"]["throughput_ips"]
    )


def test_the_profile_is_valid_and_copied(tuned, shared_sandbox):
    """It obeys its schema, and the extra copy is the same file."""
    path = Path(json.loads(tuned.stdout)["profile"])
    assert path.parent == shared_sandbox.state / "profiles"
    kept = shared_sandbox.home / "first.yaml"
    profile = yaml.safe_load(kept.read_text())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(profile)
    assert profile["status"] == "proven"
    assert (shared_sandbox.home / "copies" / path.name).read_bytes() == kept.read_bytes()


def test_the_same_command_again_needs_no_more_trials(tuned, shared_sandbox, trivial_model):
    """Those that were asked for are made already; the end is told for people, without noise."""
    known = len(trials(shared_sandbox))
    done = shared_sandbox.run(trivial_model, *MAIN)
    assert (tuned.returncode, done.returncode) == (0, 0)
    assert len(trials(shared_sandbox)) == known
    for text in ("baseline", "winner", "throughput", "latency p99", "ratio", "Profile: ", "Next: "):
        assert text in done.stdout
    assert re.search("[\r\x1b]", done.stdout + done.stderr) is None


def test_another_budget_begins_with_what_is_known(tuned, shared_sandbox, trivial_model):
    """Measurements are facts, whatever they were made for."""
    command = shared_sandbox.start(trivial_model, *MAIN, "--max-latency", "9s", "--trials", "1")
    (started,) = shared_sandbox.wait_for("started", model="trivial", max_trials=1)
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=PATIENCE_S)
    assert tuned.returncode == 0
    assert started["known_trials"] >= 2


def test_profiles_are_listed_shown_and_removed(tuned, shared_sandbox, trivial_model):
    """Under the name that the end of the run told."""
    kept = Path(json.loads(tuned.stdout)["profile"])
    extra = kept.with_name("zz-extra.yaml")
    extra.write_bytes(kept.read_bytes())
    listed = json.loads(shared_sandbox.run("profiles", "--json").stdout)
    assert {kept.name, extra.name} <= {Path(each["path"]).name for each in listed["profiles"]}
    assert trivial_model.stem in shared_sandbox.run("profiles", "list").stdout
    assert shared_sandbox.run("profiles", "show", kept.stem).stdout == kept.read_text()
    assert shared_sandbox.run("profiles", "rm", "zz").returncode == 0
    assert (kept.exists(), extra.exists()) == (True, False)


def test_a_budget_out_of_reach_ends_with_the_closest(shared_sandbox, steady_model):
    """Exit status 3, the closest configuration, and what budget would help."""
    line = ("--max-latency", "1us", *QUICK, "--trials", "1", "--json")
    done = shared_sandbox.run(steady_model, *line)
    document = json.loads(done.stdout)
    assert done.returncode == 3, done
    assert (document["status"], document["profile"]) == ("infeasible", None)
    assert document["config"]["batch_size"] >= 1
    assert document["measurement"]["latency_ms"]["p99"] > 0.001
    assert re.search(r"a budget of --max-latency [0-9.]+ms would be kept", document["message"])


def test_a_dry_run_prints_the_space_and_measures_nothing(sandbox, steady_model):
    """With its size; what was narrowed is narrow."""
    done = sandbox.run(steady_model, *BUDGET, "--batch-sizes", "2,5", "--dry-run", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert document["dimensions"]["batch_size"] == [2, 5]
    assert document["size"] > 0
    assert not {event["event"] for event in sandbox.events()} & {"started", "trial_started"}
    assert not (sandbox.state / "studies.db").exists()


def test_a_fixed_batch_axis_pins_the_batch_size(shared_sandbox, save_model):
    """The user is told how to free it; another batch size is refused."""
    model = save_model(("x", TensorProto.FLOAT, [4, 3]))
    done = shared_sandbox.run(model, *BUDGET, "--dry-run", "--json")
    assert json.loads(done.stdout)["dimensions"]["batch_size"] == [4]
    assert "export it with a dynamic axis 0" in done.stderr
    measured = shared_sandbox.run("measure", model, "--seconds", "0.1", "--json")
    assert json.loads(measured.stdout)["config"]["batch_size"] == 4
    refused = shared_sandbox.run(model, *BUDGET, "--batch-size", "1")
    assert refused.returncode == 2
    assert "export it with a dynamic axis 0" in refused.stderr


def test_one_measurement_is_told_as_a_document(shared_sandbox, steady_model):
    """With the configuration that was asked for."""
    options = ("--batch-size", "4", "--workers", "2", "--threads", "1", "--seconds", "0.3")
    done = shared_sandbox.run("measure", steady_model, *options, "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["status"]) == (0, "ok")
    assert (document["config"]["batch_size"], document["config"]["workers"]) == (4, 2)
    assert document["measurement"]["latency_ms"].keys() >= LATENCIES


def test_a_measurement_that_fails_has_status_one(shared_sandbox, save_model):
    """It says why, as a value."""
    model = save_model(("x", TensorProto.FLOAT, ["N", 3]))
    model.write_bytes(model.read_bytes().replace(b"Identity", b"Nonesuch"))
    done = shared_sandbox.run("measure", model, "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["status"]) == (1, "failed")
    assert document["failed"]["reason"] == "unsupported"
    assert "Nonesuch" in document["failed"]["detail"]


def trials(sandbox):
    """Return the trials of the search that were told to the end."""
    events = sandbox.events()
    return [e for e in events if e["event"] == "trial_done" and e["phase"] == "search"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_the_best_so_far(sandbox, steady_model, sent):
    """Exit status 130, a profile that says it is unproven, nothing left running."""
    command = sandbox.start(steady_model, *LONG, "--json")
    sandbox.wait_for("trial_done", 2, phase="search")
    command.send_signal(sent)
    out, err = command.communicate(timeout=PATIENCE_S)
    document = json.loads(out)
    assert (command.returncode, document["status"]) == (130, "interrupted")
    assert "the best so far is kept" in err
    assert document["trials"] >= 2
    profile = yaml.safe_load(Path(document["profile"]).read_text())
    assert profile["status"] == "interrupted"
    assert profile["winner"]["config"]["batch_size"] == document["config"]["batch_size"]
    assert sandbox.left() == []


def test_an_interrupt_before_there_is_anything_keeps_nothing(sandbox, steady_model):
    """It ends soon all the same."""
    command = sandbox.start(steady_model, *LONG, "--json")
    sandbox.wait_for("trial_started", phase="baseline")
    command.send_signal(signal.SIGINT)
    out, _ = command.communicate(timeout=PATIENCE_S)
    document = json.loads(out)
    assert (command.returncode, document["status"]) == (130, "interrupted")
    assert sandbox.left() == []


def test_an_interrupted_run_does_not_replace_what_was_proven(tuned, shared_sandbox, trivial_model):
    """The earlier profile stays, and the user is told."""
    path = Path(json.loads(tuned.stdout)["profile"])
    proven = path.read_bytes()
    before = len(trials(shared_sandbox))
    command = shared_sandbox.start(trivial_model, *LONG, "--json")
    shared_sandbox.wait_for("trial_done", before + 1, phase="search")
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=PATIENCE_S)
    assert (command.returncode, json.loads(out)["profile"]) == (130, None)
    assert f"The proven profile of an earlier run is kept: {path}" in err.replace("\n", " ")
    assert path.read_bytes() == proven


@pytest.mark.parametrize("sent", [signal.SIGHUP, signal.SIGKILL])
def test_a_lost_terminal_costs_nothing(sandbox, trivial_model, sent):
    """The job goes on, and the same command joins it and tells its end."""
    command = (trivial_model, *LONG, "--json")
    first = sandbox.start(*command)
    sandbox.wait_for("trial_done", phase="search")
    first.send_signal(sent)
    first.communicate(timeout=PATIENCE_S)
    assert first.returncode == -sent
    sandbox.wait_for("trial_done", 2, phase="search")
    second = sandbox.start(*command)
    assert "The inputs are random" in second.stderr.readline()  # the job's first words
    second.send_signal(signal.SIGINT)
    out, _ = second.communicate(timeout=PATIENCE_S)
    document = json.loads(out)
    assert (second.returncode, document["status"]) == (130, "interrupted")
    assert document["trials"] >= 2
    assert len(list(sandbox.state.glob("jobs/*"))) == 1
    assert sandbox.left() == []


def test_a_terminal_sees_a_line_and_control_c_ends_the_run(sandbox, steady_model):
    """The line tells trials, time left and what runs now; the terminal sends the interrupt."""
    ours, theirs = pty.openpty()
    terminal = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    command = sandbox.start(
        steady_model,
        *LONG,
        "--plain",
        prefix=["setsid", "--ctty", "--wait"],
        start_new_session=False,
        **terminal,
    )
    os.close(theirs)
    line = re.compile(r" s \| search \| [1-9] trials of 60 \| \d+ s left \|.* now batch \d+, ")
    seen = ""
    while not line.search(seen):
        seen += os.read(ours, 1 << 16).decode()
    os.write(ours, b"\x03")
    with contextlib.suppress(OSError):  # the other end is closed
        while text := os.read(ours, 1 << 16):
            seen += text.decode()
    os.close(ours)
    assert command.wait(timeout=PATIENCE_S) == 130
    assert "Stopping; the best so far is kept" in seen
    assert "best so far  " in seen


def test_one_command_waits_for_another_and_says_so(sandbox, tmp_path, tiny_model):
    """Two at the same time would disturb each other, whatever their state folders."""
    other = {"AUTOTUNE_STATE_DIR": str(tmp_path / "other")}
    first = sandbox.start("measure", tiny_model, "--seconds", "600")
    sandbox.wait_for("trial_started")
    line = ("measure", tiny_model, "--seconds", "0.2", "--json")
    second = sandbox.start(*line, environment=other)
    told = second.stderr.readline()
    ended = time.time()
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=PATIENCE_S)
    out, _ = second.communicate(timeout=PATIENCE_S)
    assert (first.returncode, second.returncode) == (130, 0)
    assert re.search(r"Waiting for process \d+, which measures on this box", told)
    (record,) = (tmp_path / "other").glob("jobs/*/events.jsonl")
    begun = [e for e in map(json.loads, record.read_text().splitlines()) if e["event"] == "started"]
    assert begun[0]["t"] >= ended
    assert json.loads(out)["status"] == "ok"


def test_a_reader_that_has_seen_enough_hears_no_complaint(sandbox):
    """As in ``autotune models | head -1``."""
    reading, writing = os.pipe()
    os.close(reading)
    done = sandbox.run("models", stdout=writing)
    os.close(writing)
    assert done.stderr == ""


def test_help_needs_neither_a_daemon_nor_a_table(sandbox):
    """It answers at once, having loaded a handful of modules only."""
    done = sandbox.run("--help", environment={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert not loaded & {"rich", "yaml", "asyncio", "socket", "subprocess", "numpy"}
    assert not sandbox.state.exists()
