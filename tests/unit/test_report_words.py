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
    """Return a sweep of (batch size, workers, throughput or failure) of the model m."""
    return Sweep(
        tool_version="0",
        created="2025-01-01T00:00:00+00:00",
        box=box,
        models=(ModelSize(model="m", parameters=1, flops=1),),
        points=tuple(
            Point(
                model="m",
                config=Config(batch_size=size, workers=workers, intra_op_threads=1),
                outcome=Measurement(throughput_ips=found, p99_ms=1.0)
                if isinstance(found, float)
                else found,
            )
            for size, workers, found in points
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
