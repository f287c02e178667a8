from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from autotuner.core.config import Config
from autotuner.core.errors import InputError
from autotuner.core.layer_profile import Ceilings, LayerProfile, LayerTime
from autotuner.core.network import Network
from autotuner.core.outcome import Failed, Measurement
from autotuner.core.partition import Cut, Partition
from autotuner.core.sweep import ModelSize, Point, Sweep
from autotuner.report.report import files

SWEEP = Sweep(
    tool_version="0",
    created="2025-01-01T00:00:00+00:00",
    box="<box>",
    models=(ModelSize(model="m", parameters=1, flops=1),),
    points=(
        Point(
            model="m",
            config=Config(),
            outcome=Measurement(throughput_ips=1.0, p99_ms=2.0, memory_mib=3.0),
        ),
        Point(
            model="m",
            config=Config(batch_size=2),
            outcome=Measurement(throughput_ips=1.5, p99_ms=2.5, memory_mib=4.0),
        ),
        Point(model="m", config=Config(batch_size=4), outcome=Failed("oom", "no more")),
    ),
)
PROFILE = LayerProfile(
    model="m",
    model_sha256="ab",
    config=Config(),
    device="box",
    sample_shapes={"x": (3,)},
    layers=(
        LayerTime(
            name="one",
            operator="Conv",
            nodes=("one",),
            time_us=30.0,
            share=0.75,
            share_margin=0.01,
            flops=1e6,
            moved_bytes=1e4,
        ),
        LayerTime(name="two", operator="Reorder", time_us=10.0, share=0.25, share_margin=0.01),
    ),
    runs=3,
    whole_ms=0.041,
    plain_ms=0.04,
    margin=0.01,
    wanted_margin=0.02,
    ceilings=Ceilings(gflops_s=50.0, gb_s=20.0),
)
CUT = Cut(
    position=1,
    after="one",
    tensors=("t",),
    sent_bytes=10,
    device_ms=1.0,
    transfer_ms=2.0,
    server_ms=3.0,
)
PARTITION = Partition(
    model="m", network=Network(up_mbit_s=1.0), goal="latency", simulated=False, cuts=(CUT,)
)


@pytest.fixture(scope="module")
def report():
    """Return the files of a report of everything that there is."""
    return files("<title>", [SWEEP, PROFILE, PARTITION])


def test_every_figure_stands_in_the_page_and_beside_it(report):
    """As SVG that parses and PNG, and the tables behind them."""
    page = report["report.html"].decode()
    drawings = [name for name in report if name.endswith(".svg")]
    for name in drawings:
        ET.fromstring(report[name])
        assert report[name.replace(".svg", ".png")].startswith(b"\x89PNG")
    assert page.count("<svg") == len(drawings)
    stems = {name.partition("-")[2] for name in drawings}
    assert {"throughput.svg", "memory.svg", "roofline.svg", "timeline.svg", "cuts.svg"} <= stems
    assert "power.svg" not in stems  # nothing is known of it
    assert page.count("<table>") == 3
    assert {"measurements.csv", "measurements.parquet"} <= set(report)


def test_the_page_needs_nothing_else_and_trusts_no_name(report):
    """No script, no address to load from; names cannot become markup."""
    page = report["report.html"].decode()
    assert "<script" not in page
    assert "src=" not in page
    assert "<box>" not in page
    assert "&lt;box&gt;" in page
    assert "&lt;title&gt;" in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_what_could_not_be_measured_is_said(report):
    """In words, beside the figures."""
    assert "batch 4 could not be measured (oom)." in report["report.html"].decode()


def test_the_same_findings_make_the_same_files(report):
    """So that a report can be kept under version control."""
    assert files("<title>", [SWEEP, PROFILE, PARTITION])["report.html"] == report["report.html"]


def test_a_report_without_data_is_refused():
    """It would be an empty page."""
    with pytest.raises(InputError, match="nothing to report"):
        files("t", [])
