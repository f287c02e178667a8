from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

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
    assert "throughput falls by" in said
    assert "at batch 17." in said
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
    assert "throughput_ips" in page
    for drawing in drawings:
        ET.parse(drawing)


def test_what_is_known_is_not_measured_again(shared_sandbox, swept):
    """The same sweep, grown by one value, has one configuration left."""
    line = ("characterize", "inception-v2", *TX2, "--sweep", "batch_size=1,2,16,17,32,33")
    folder = shared_sandbox.home / "grown"
    done = shared_sandbox.run(*line, "--out", folder, "--json")
    document = json.loads(done.stdout)
    assert len(document["sweep"]["points"]) == 6
    before = json.loads((swept[0] / "sweep.json").read_text())["sweep"]["points"]
    assert all(point in document["sweep"]["points"] for point in before)


def test_a_later_search_knows_what_a_sweep_measured(shared_sandbox, swept):
    """It measures nothing but what looks best once more; the first two were swept above."""
    line = ("inception-v2", *TX2, "--max-latency", "400ms", "--batch-sizes", "1,16,32")
    pinned = ("--workers", 1, "--power-modes", "MAXN", "--precisions", "fp32")
    done = shared_sandbox.run("tune", *line, *pinned, "--seed", 1, "--json")
    found = json.loads(done.stdout)
    assert swept[0].exists()
    assert found["config"]["batch_size"] == 16
    assert found["trials"] <= 3, done.stderr


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
    assert "64 configurations left, which take about 128 s" in done.stderr
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
