from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from autotuner.cli import options, selftest

HARDWARE = Path(__file__).parents[2] / "docs" / "hardware.md"
EVERYTHING = {need for part in selftest.PARTS for need in part.needs}


def measured(throughput_ips=10.0, setup_s=1.0, **fields):
    """Return the document of a measurement."""
    figures = {"throughput_ips": throughput_ips, "setup_s": setup_s, "latency_ms": {"p99": 2.0}}
    return {"status": "ok", "measurement": figures, **fields}


@pytest.fixture
def machine(monkeypatch):
    """Let a machine print these documents in turn, and return what the self-test says and shows."""

    def test(usable, *documents, as_json=False):
        coming = iter(documents)
        monkeypatch.setattr(selftest, "_asked", lambda _: next(coming))
        console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
        with console.file:
            status = selftest.run(usable, console, as_json=as_json)
        assert next(coming, None) is None
        return status, console.export_text()

    return test


SIMULATED = measured(simulated="jetson-orin-nano")


def test_a_machine_that_is_as_it_should_be(machine):
    """Every part that it can run is shown with what it should and what it did."""
    status, shown = machine({"onnxruntime-cpu"}, SIMULATED, measured(12.5))
    assert status == 0
    assert "simulated jetson-orin-nano, 10.0/s" in shown
    assert "--provider onnxruntime-cpu" in shown
    assert "12.5/s" in shown
    assert "All of it is as it should be; not to be had here: mps, onnxruntime-cuda" in shown


@pytest.mark.parametrize(
    "document",
    [
        {"status": "error", "failed": {"reason": "oom", "detail": "no memory"}},
        {"status": "error", "message": "no memory"},
    ],
)
def test_a_part_that_cannot_be_measured_is_told(machine, document):
    """With the reason; the others go on."""
    status, shown = machine({"onnxruntime-cpu", "openvino-cpu"}, SIMULATED, document, measured())
    assert (status, "no memory" in shown, "1 of 3 is not" in shown) == (1, True, True)


@pytest.mark.parametrize(
    ("cuda_ips", "half_ips", "bound_ips", "status"),
    [(90.0, 150.0, 88.0, 0), (9.0, 150.0, 88.0, 1), (90.0, 80.0, 90.0, 1), (90.0, 91.0, 80.0, 1)],
)
def test_a_gpu_has_to_gain_something(machine, cuda_ips, half_ips, bound_ips, status):
    """Over the CPU, by half precision, and nothing may be lost without copies."""
    cuda = measured(cuda_ips)
    found, _ = machine(
        {"onnxruntime-cuda"},
        SIMULATED,
        *(measured(10.0), cuda),
        *(cuda, measured(half_ips)),
        *(cuda, measured(bound_ips)),
    )
    assert found == status


def test_an_engine_is_kept(machine):
    """What is set up no sooner the second time was built again."""
    for second_s, status in ((2.0, 0), (70.0, 1)):
        first, second = measured(setup_s=60.0), measured(setup_s=second_s)
        assert machine({"onnxruntime-tensorrt"}, SIMULATED, first, second)[0] == status


def test_machines_read_one_document(machine, capsys):
    """With every command as it can be typed."""
    status, _ = machine({"onnxruntime-cpu"}, SIMULATED, measured(), as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert (status, document["status"]) == (0, "ok")
    assert [part["held"] for part in document["parts"]] == [True, True]
    assert "tensorrt" in document["missing"]
    for part in document["parts"]:
        for command in part["commands"]:
            assert command.startswith("autotune measure ")


@pytest.mark.parametrize("part", selftest.PARTS, ids=lambda part: "-".join(part.needs) or "any")
def test_every_part_is_a_command_that_the_document_lists(part):
    """With what it should print."""
    text = HARDWARE.read_text(encoding="utf-8")
    for command in part.commands:
        options.parse(command.split())
        assert f"`autotune {command}`" in text
    assert part.expected in text
