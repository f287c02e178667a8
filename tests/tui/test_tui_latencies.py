"""The latencies of a trial: without Textual."""

import pytest

from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Histogram, Measurement
from tui import paint
from tui.glyphs import ASCII, BRAILLE
from tui.panes.latencies import latencies

WIDTH = 78
LEFT = 41
"""The column at which the drawing begins."""


def drawn(counts=(5, 90, 5), *, low_ms=10.0, high_ms=20.0, budget_ms=30.0, glyphs=BRAILLE):
    """Return the lines for a histogram of these counts."""
    objective = Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=budget_ms)])
    measured = Measurement(
        p50_ms=14.0,
        p99_ms=19.0,
        max_ms=high_ms,
        n=sum(counts),
        intervals={"p50_ms": (13.8, 14.2), "p99_ms": (18.5, None)},
        histogram=Histogram(low_ms=low_ms, high_ms=high_ms, counts=counts) if counts else None,
    )
    return latencies(objective, measured, WIDTH, glyphs)


def text(line):
    """Return the text of *line*."""
    return "".join(piece.text for piece in line)


def column_of(line, mark):
    """Return the column of *mark* in the drawing."""
    return text(line).index(mark, LEFT)


def test_percentiles_stand_below_the_bars_that_they_cut():
    """Histogram, percentiles, budget and axis share one scale."""
    lines = drawn()
    bars, p50, p99 = lines[3], lines[4], lines[5]
    tallest = column_of(lines[0], "█")
    assert tallest <= column_of(p50, "●") < column_of(p99, "●")
    assert text(bars)[column_of(p50, "●")] == "█"
    walls = {column_of(line, "┊") for line in (lines[0], p50, p99)}
    assert len(walls) == 1
    assert "30" in text(lines[-1])[LEFT:]


def test_what_was_seen_once_is_seen():
    """One slow batch of ten thousand has its bar."""
    bars = text(drawn((9_999, *[0] * 46, 1))[3])[LEFT:].rstrip(" ┊")
    assert bars.endswith("▁")
    assert " " in bars.strip()


def test_what_is_over_the_budget_has_its_ink():
    """Bars beyond the budget are told from those within it."""
    inks = {piece.ink for piece in drawn(budget_ms=15.0)[3] if piece.text.strip("┊ ")}
    assert {"bar", "over"} <= inks
    assert "over" not in {piece.ink for piece in drawn()[3]}


def test_equal_latencies_are_one_bar():
    """A histogram without width is drawn too."""
    lines = drawn((50,), low_ms=14.0, high_ms=14.0)
    assert [text(line)[LEFT:].count("█") for line in lines[:4]] == [1, 1, 1, 1]


def test_a_record_without_a_histogram_shows_its_percentiles():
    """What was kept by an earlier version is shown as far as it goes."""
    lines = drawn(())
    assert "0 batches" in text(lines[0])
    assert "14.00 ms 13.80 to 14.20" in text(lines[1])


@pytest.mark.parametrize("glyphs", [BRAILLE, ASCII], ids=lambda glyphs: glyphs.name)
def test_every_line_keeps_its_width(glyphs):
    """The drawing ends at the border, with any characters."""
    for line in drawn(glyphs=glyphs):
        assert paint.width_of(line) <= WIDTH
