"""What nothing beats: without Textual."""

from conftest import stamped_lines
from made_up_jobs import add_trial, view_of, view_with

from tui.front import RECENT, front
from tui.recorded import happened
from tui.state import JobView


def test_the_front_has_what_nothing_beats():
    """A trial is on the front when no other has both less latency and more throughput."""
    view = view_with((100.0, 10.0), (90.0, 20.0), (200.0, 30.0), (150.0, 30.0), (None, 5.0))
    assert [trial.number for trial in front(view.trials)] == [0, 2]


def test_the_front_is_the_same_however_often_it_was_asked_for():
    """It is carried on from trial to trial, and the final round's word still counts."""
    lines = stamped_lines()
    asked = JobView(job="j")
    for place, line in enumerate(lines):
        news = happened(line)
        asked.take(news.n, news.t, news.event)
        assert asked.settled() == view_of(lines[: place + 1]).settled()
    searched, best_ones = asked.settled()
    assert searched[-2].phase == searched[-1].phase == "proof"
    assert best_ones == front(searched)


def test_of_a_long_search_the_newest_and_the_front_are_kept():
    """However many trials there are, as many as a plot can show stay at hand."""
    view = view_with((1000.0, 1.0))
    for number in range(2 * RECENT):
        add_trial(view, 1.0 + number % 7, 10.0 + number)
    searched, best_ones = view.settled()
    assert [trial.number for trial in searched] == [*range(RECENT + 1, 2 * RECENT + 1)]
    assert [trial.number for trial in best_ones] == [0]
