from __future__ import annotations

import numpy as np
import pytest

from autotuner.bench.record import Slice
from autotuner.bench.summary import SteadyRun
from autotuner.characterize.protocols import Embench, Steady, protocol_of
from autotuner.core.config import Config
from autotuner.core.request import CharacterizeRequest

CONFIG = Config(batch_size=4, workers=2)


def run(*latencies_ms):
    """Return a run of two workers with these batches in order."""
    times = np.array(latencies_ms)
    return SteadyRun(
        config=CONFIG, batches=Slice(times, times / 1e3), window_s=1.0, setup_s=0.5, memory_mib=64.0
    )


def test_embench_counts_the_fastest_of_fifty_runs_of_each_worker():
    """What ran beyond them until it was stopped counts as little as what no rule names."""
    found = Embench().measurement(run(*np.linspace(9.0, 8.0, 100), 1.0))
    assert found.extra["min_ms"] == pytest.approx(8.0)
    assert found.throughput_ips == pytest.approx(4 * 2 / 8e-3)
    assert (found.n, found.memory_mib, found.setup_s) == (100, 64.0, 0.5)
    assert (found.p50_ms, found.p99_ms, found.mean_ms, found.intervals) == (None, None, None, {})


def test_embench_warms_up_by_ten_runs_and_ends_after_fifty():
    """However steady the times are, and however long it takes."""
    window = Embench().window(CONFIG)
    few, many = (Slice(np.full(n, 10.0), np.full(n, 0.01)) for n in (99, 100))
    assert not window.warm(many, 9)
    assert window.warm(few, 10)
    assert window.end(few, 1e6) is None
    assert window.end(many, 0.1) == "enough runs"


def test_facts_of_two_protocols_are_kept_apart():
    """And those of the search's own protocol where the search finds them."""
    assert Steady(1.0).store_key("ab") == "ab"
    assert Embench().store_key("ab") != "ab"


def test_steady_measures_as_the_search_does():
    """With percentiles and intervals, for the seconds asked for."""
    protocol = Steady(2.5)
    assert (protocol.window(CONFIG).min_s, protocol.window(CONFIG).max_s) == (2.5, 2.5)
    assert protocol.measurement(run(*[10.0] * 50)).p99_ms == pytest.approx(10.0)


@pytest.mark.parametrize(("name", "kind"), [("steady", Steady), ("embench", Embench)])
def test_a_request_names_its_protocol(name, kind):
    """The default is the search's own."""
    sweep = {"batch_size": (1, 2)}
    request = CharacterizeRequest(models=("m",), dimensions=sweep, protocol=name)
    assert isinstance(protocol_of(request), kind)
    assert CharacterizeRequest(models=("m",), dimensions=sweep).protocol == "steady"
