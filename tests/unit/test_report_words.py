from __future__ import annotations

import csv
import io

from pyarrow import parquet

from autotuner.core.config import Config
from autotuner.core.outcome import Failed, Measurement
from autotuner.core.sweep import ModelSize, Point, Sweep
from autotuner.report import rows
from autotuner.report.series import series
from autotuner.report.words import remarks


def sweep(*points, box="box"):
    """Return a sweep of the model m from (batch size, workers, throughput or failure).

    A fourth member is the precision.
    """
    return Sweep(
        tool_version="0",
        created="2025-01-01T00:00:00+00:00",
        box=box,
        models=(ModelSize(model="m", parameters=1, flops=1),),
        points=tuple(
            Point(
                model="m",
                config=Config(
                    batch_size=size,
                    workers=workers,
                    intra_op_threads=1,
                    precision=precision[0] if precision else "fp32",
                ),
                outcome=Measurement(throughput_ips=found, p99_ms=1.0)
                if isinstance(found, float)
                else found,
            )
            for size, workers, found, *precision in points
        ),
    )


def test_a_line_holds_one_setting_by_batch_size():
    """In order, whatever the order of measuring; other settings are other lines."""
    found = series([sweep((4, 1, 30.0), (1, 1, 10.0), (1, 2, 15.0))])
    assert [line.label for line in found] == ["1 worker x 1 thread", "2 workers x 1 thread"]
    assert found[0].values("throughput_ips") == ([1, 4], [10.0, 30.0])
    assert found[0].values("power_w") == ([], [])


def test_boxes_are_told_apart_only_where_there_are_several():
    """A name that is the same on every line says nothing."""
    here, there = sweep((1, 1, 10.0)), sweep((1, 1, 20.0), box="other")
    assert [line.label for line in series([here])] == ["1 worker x 1 thread"]
    assert [line.label for line in series([here, there])] == [
        "box, 1 worker x 1 thread",
        "other, 1 worker x 1 thread",
    ]


def test_the_best_and_the_steps_are_named():
    """A fall is a step where the intervals of both measurements lie apart."""
    unsure = Measurement(throughput_ips=14.7, intervals={"throughput_ips": (14.0, 15.5)})
    said = remarks(series([sweep((1, 1, 10.0), (2, 1, 20.0), (3, 1, 15.0), (4, 1, unsure))]))
    assert said == (
        (
            "1 worker x 1 thread: most throughput 20.0/s at batch 2, 2.00 times that of batch 1; "
            "it falls by 25% at batch 3."
        ),
    )


def test_a_crossing_names_who_leads_from_where():
    """Of two lines of one model."""
    said = remarks(series([sweep((1, 1, 10.0), (4, 1, 11.0), (1, 2, 5.0), (4, 2, 20.0))]))
    assert "From batch 4 on 2 workers x 1 thread is faster than 1 worker x 1 thread." in said


def test_lines_that_take_turns_are_told_in_one_sentence():
    """By what they differ in; two that differ in more than one thing are not compared."""
    both = [(size, 1, ips) for size, ips in ((1, 10.0), (2, 5.0), (3, 10.0))]
    other = [(size, 1, 7.0, "int8") for size in (1, 2, 3)]
    slow = [(size, 2, ips, "int8") for size, ips in ((1, 12.0), (2, 3.0), (3, 12.0))]
    said = [s for s in remarks(series([sweep(*both, *other, *slow)])) if "lead changes" in s]
    assert "\n".join(said) == (
        "With 1 worker x 1 thread: the lead changes: fp32 from batch 1, int8 from batch 2, "
        "fp32 from batch 3.\n"
        "With int8: the lead changes: 2 workers x 1 thread from batch 1, 1 worker x 1 thread from "
        "batch 2, 2 workers x 1 thread from batch 3."
    )


def test_the_fastest_of_all_is_named_first():
    """It keeps the lead until another one is surely faster."""
    points = [(1, 1, 10.0), (2, 1, 10.0), (4, 1, 10.0), (1, 2, 5.0), (2, 2, 10.05), (4, 2, 20.0)]
    first, *_ = remarks(series([sweep(*points)]))
    assert first == "The fastest is 1 worker x 1 thread; from batch 4 on 2 workers x 1 thread."


def test_a_line_that_scatters_has_no_steps_and_says_so():
    """From size to size other things change than an interval tells."""
    rough = [(size, 1, 100.0 + (20.0 if size % 2 else -20.0)) for size in range(1, 11)]
    (said,) = remarks(series([sweep(*rough)]))
    assert "falls" not in said
    assert "; from size to size it scatters by" in said
    smooth = [(size, 1, 100.0 + size if size < 6 else 90.0 + size) for size in range(1, 11)]
    (said,) = remarks(series([sweep(*smooth)]))
    assert "; it falls by 9% at batch 6." in said


def test_lines_that_are_as_fast_as_each_other_do_not_cross():
    """Who is ahead by chance leads nowhere; who leads again surely, does."""
    even = sweep((1, 1, 10.0), (2, 1, 10.05), (4, 1, 10.0), (1, 2, 10.05), (2, 2, 10.0))
    assert not [said for said in remarks(series([even])) if said.startswith("From")]


def test_what_could_not_be_measured_is_named():
    """With the reason, and the line goes on around it."""
    said = remarks(series([sweep((1, 1, 10.0), (64, 1, Failed("oom", "no more")))]))
    assert "1 worker x 1 thread: batch 64 could not be measured (oom)." in said


def test_rows_have_units_in_their_names_and_leave_the_unknown_empty():
    """In CSV as in Parquet; a failure is a row too."""
    table = rows.of_sweeps([sweep((1, 1, 10.0), (64, 1, Failed("oom", "no more")))])
    (first, second) = csv.DictReader(io.StringIO(rows.as_csv(table)))
    assert (first["throughput_ips"], first["p99_ms"], first["power_w"]) == ("10.0", "1.0", "")
    assert (second["throughput_ips"], second["failed"]) == ("", "oom")
    stored = parquet.read_table(io.BytesIO(rows.as_parquet(table))).to_pylist()
    assert stored == table
