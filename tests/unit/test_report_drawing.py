from __future__ import annotations

from matplotlib.figure import Figure

from autotuner.report.drawing import from_zero, label_apart, whole


def axes_with(*values):
    """Return axes with a mark at each of *values*."""
    axes = Figure().subplots()
    axes.plot(range(len(values)), values, "o")
    return axes


def test_marks_at_the_highest_value_have_room():
    """However little the values differ: a mark at the edge would be cut in half."""
    axes = axes_with(99.9, 100.0)
    from_zero(axes)
    low, high = axes.get_ylim()
    assert low == 0.0
    assert high >= 105.0


def test_nothing_drawn_leaves_the_axis_as_it_is():
    """There is no highest value."""
    axes = axes_with()
    before = axes.get_ylim()
    from_zero(axes)
    assert axes.get_ylim() == before


def test_ticks_of_whole_things_are_whole():
    """There is no batch of one and a half samples."""
    axes = axes_with(1.0, 2.0)
    whole(axes.xaxis)
    assert all(tick == int(tick) for tick in axes.get_xticks())


def test_a_label_that_would_lie_over_another_is_left_out():
    """The first of them stays."""
    axes = axes_with(0.0, 10.0)
    labels = [("1", 0.0, 0.0, "red"), ("2", 0.001, 0.01, "blue"), ("3", 1.0, 10.0, "red")]
    label_apart(axes, labels)
    assert [text.get_text() for text in axes.texts] == ["1", "3"]
