from __future__ import annotations

import itertools

import pytest

from autotuner.bench.loading import load
from autotuner.core.config import Config
from autotuner.core.outcome import Failed

ENGINE = Config(provider="tensorrt", precision="fp16")
REFUSED = Failed("unsupported", "no kernel for Loop")


class Loading:
    """A bench that takes *seconds* to load anything, and then has *found* what is wrong."""

    def __init__(self, seconds, found=None):
        self.seconds = seconds
        self.found = found

    def load(self, _):
        """Yield every second."""
        for second in range(1, self.seconds + 1):
            yield float(second)
        return self.found


def told(bench, config=ENGINE):
    """Return what was told, and what came of the loading."""
    events, steps = [], load(bench, config)
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


def test_what_is_loaded_soon_goes_without_saying():
    """Most are."""
    assert told(Loading(2)) == ([], None)


def test_an_engine_is_told_of_less_and_less_often_and_once_a_minute_at_least():
    """With how long it has taken; ten minutes are no flood of lines."""
    events, failed = told(Loading(600))
    elapsed_s = [event.elapsed_s for event in events[:-1]]
    assert elapsed_s[:5] == [3.0, 6.0, 12.0, 24.0, 48.0]
    assert max(b - a for a, b in itertools.pairwise(elapsed_s)) == 60.0
    assert {event.step for event in events[:-1]} == {"building the engine"}
    assert (events[-1].step, events[-1].elapsed_s, failed) == ("loaded", None, None)


@pytest.mark.parametrize("seconds", [0, 5])
def test_what_cannot_be_loaded_comes_back(seconds):
    """Whether or not anything was told meanwhile."""
    assert told(Loading(seconds, REFUSED))[1] == REFUSED


def test_a_graph_is_loaded_and_no_engine_built():
    """Only TensorRT builds engines."""
    events, _ = told(Loading(4), Config())
    assert events[0].step == "loading the model"
