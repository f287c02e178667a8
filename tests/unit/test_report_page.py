from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from made_profiles import proven

from autotuner.core.config import Config
from autotuner.core.errors import InputError
from autotuner.core.layer_profile import Ceilings, LayerProfile, LayerTime
from autotuner.core.network import Network
from autotuner.core.outcome import Failed, Measurement
from autotuner.core.partition import Cut, Partition
from autotuner.core.sweep import ModelSize, Point, Sweep
from autotuner.core.tuning_run import TuningRun
from autotuner.report.model_summary import fastest, summaries
from autotuner.report.report import files
from autotuner.report.run_figures import front
from autotuner.report.series import series
from autotuner.report.sweep_figures import of_models

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


def test_models_with_known_accuracies_stand_beside_each_other():
    """By accuracy and by operations, with what each is made of; one model is no comparison."""
    other = replace(SWEEP.points[0], model="n")
    sizes = (
        ModelSize(model="m", parameters=10**6, flops=10**8, accuracy=0.7),
        ModelSize(model="n", parameters=10**7, flops=10**9, accuracy=0.8),
    )
    both = replace(SWEEP, models=sizes, points=(*SWEEP.points, other))
    accuracy, models = of_models([both])
    assert (accuracy.name, models.name) == ("accuracy", "models")
    assert "1000 MFLOPs, 10.00 M parameters" in accuracy.svg
    assert list(of_models([replace(SWEEP, models=sizes[:1])])) == []


def test_what_a_precision_keeps_of_the_accuracy_is_carried():
    """Where its answers were compared with FP32's; what nobody judged has no accuracy."""
    judged = Measurement(throughput_ips=9.0, p99_ms=1.0, extra={"accuracy_kept": 0.95})
    int8 = Point(model="m", config=Config(precision="int8"), outcome=judged)
    bf16 = Point(model="m", config=Config(precision="bf16"), outcome=SWEEP.points[0].outcome)
    sizes = (ModelSize(model="m", parameters=1, flops=1, accuracy=0.8),)
    found = summaries([replace(SWEEP, models=sizes, points=(*SWEEP.points, int8, bf16))])
    known = {summary.config.precision: summary.accuracy for summary in found}
    assert known == {"fp32": 0.8, "int8": pytest.approx(0.76), "bf16": None}
    (best,) = fastest(found)
    assert best.config.precision == "int8"


def test_what_the_machine_did_and_how_setup_is_split_are_drawn():
    """Where it is known."""
    seen = {"cpu_utilisation_percent": 80.0, "process_start_s": 0.3, "load_s": 0.2}
    points = tuple(
        replace(point, outcome=replace(point.outcome, clock_mhz=1000.0, extra=seen))
        for point in SWEEP.points
        if isinstance(point.outcome, Measurement)
    )
    found = files("t", [replace(SWEEP, points=points)])
    assert "CPU busy" in found["1-utilisation.svg"].decode()
    assert "first inference" not in found["1-setup.svg"].decode()
    assert "cpu_utilisation_percent" in found["measurements.csv"].decode().splitlines()[0]


def test_a_protocol_is_named_and_its_latency_is_what_it_states():
    """On the page, in the table and at the axis; two protocols are two lines."""
    point = Point(
        model="m",
        config=Config(),
        outcome=Measurement(throughput_ips=1.0, extra={"min_ms": 3.0}),
    )
    embench = replace(SWEEP, protocol="embench", points=(point,))
    alone = files("t", [embench])
    assert "protocol embench" in alone["report.html"].decode()
    assert "fastest of 50 runs" in alone["1-latency-throughput.svg"].decode()
    labels = {line.label for line in series([SWEEP, embench])}
    assert {name.partition(",")[0] for name in labels} == {"steady", "embench"}


def test_a_tuning_run_tells_what_was_wanted_tried_and_found(tmp_path):
    """The budget, the front, baseline and winner, what was disturbed, every trial."""
    config = Config(batch_size=2)
    tried = tuple(
        Point(
            model="net",
            config=replace(config, batch_size=size),
            outcome=Measurement(
                throughput_ips=10.0 * size,
                p99_ms=float(size),
                memory_mib=9.0,
                setup_s=0.1,
                disturbed="others were busy" if size == 2 else None,
            ),
        )
        for size in (1, 2, 4, 8)
    )
    profile = proven(tmp_path / "net.onnx", config=config)
    found = files("t", [TuningRun(profile=profile, measured=replace(SWEEP, points=tried))])
    page = found["report.html"].decode()
    drawing = found["1-trade-off.svg"].decode()
    assert {"1-search.svg", "1-beside.svg", "measurements.csv"} <= set(found)
    for words in ("budget", "baseline", "winner", "no other beats these"):
        assert words in drawing
    assert "Wanted: maximize throughput_ips with p99_ms &lt;= 5" in page
    assert "Disturbed measurements: 1, the last one because others were busy." in page
    assert page.count("<table>") == 2


def test_the_front_holds_what_no_other_beats():
    """In throughput and latency, the slowest first."""
    points = [(10.0, 1.0), (20.0, 2.0), (15.0, 3.0), (20.0, 4.0), (30.0, 9.0)]
    assert front(points) == [(10.0, 1.0), (20.0, 2.0), (30.0, 9.0)]
