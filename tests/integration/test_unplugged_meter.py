"""A meter that goes while a run needs it, on a simulated device."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autotuner.bench.virtual import VirtualHarness
from autotuner.core.events import TrialDone, TuneDone
from autotuner.core.outcome import Failed
from autotuner.core.request import TuneRequest, Workload
from autotuner.tuning import Places, tune

GOALS = [{"goal": "energy"}, {"goal": "throughput", "max_power_w": {"": 50.0}}]


@pytest.fixture
def events(request, tmp_path, monkeypatch):
    """Tune for a goal; of batches of two no power is seen, of which the search tries some."""
    measure = VirtualHarness.measure

    def unplugged(self, config, *arguments, **options):
        run = measure(self, config, *arguments, **options)
        return replace(run, power_w=None) if config.batch_size == 2 else run

    monkeypatch.setattr(VirtualHarness, "measure", unplugged)
    places = Places(
        profiles=tmp_path / "profiles",
        storage=f"sqlite:///{tmp_path / 'studies.db'}",
        cache=tmp_path / "cache",
    )
    asked = TuneRequest(
        workload=Workload(device="sim:jetson-orin-nano"),
        max_latency_ms=200.0,
        dimensions={"batch_size": (1, 2, 4), "workers": (1,), "precision": ("fp16",)},
        **request.param,
    )
    return list(tune(asked, places=places, cancelled=lambda: False))


@pytest.mark.parametrize("events", GOALS, indirect=True, ids=["energy", "limit"])
def test_it_costs_its_trials_and_not_the_run(events):
    """They say what was not measured; the others are judged and one of them wins."""
    outcomes = {e.config.batch_size: e.outcome for e in events if isinstance(e, TrialDone)}
    assert isinstance(outcomes[2], Failed)
    assert "was not measured throughout" in outcomes[2].detail
    done = events[-1]
    assert isinstance(done, TuneDone)
    assert (done.status, done.winner.config.batch_size) == ("ok", 4)
