from __future__ import annotations

import pytest
from prometheus_client import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from autotuner.core.errors import InputError
from autotuner.daemon import metrics
from autotuner.daemon.metrics import Snapshot

STATUS = {"version": "1.2.3", "applied": None, "kept": []}
APPLIED = {"profile": "p", "model": "net", "power_mode": "MAXN", "verified": False}


def text(status=STATUS, jobs=(), trial=None, readings=()):
    """Return what Prometheus reads."""
    snapshot = Snapshot(status=status, jobs=jobs, trial=trial, readings=readings)

    class Once(Collector):
        def collect(self):
            return metrics.families(snapshot)

    registry = CollectorRegistry()
    registry.register(Once())
    return generate_latest(registry).decode()


def test_jobs_are_counted_by_state():
    """Also those of which there is none."""
    told = text(jobs=[{"state": "queued"}, {"state": "queued"}, {"state": "running"}])
    assert 'autotuner_jobs{state="queued"} 2.0' in told
    assert 'autotuner_jobs{state="paused"} 0.0' in told
    assert 'autotuner_info{version="1.2.3"} 1.0' in told


def test_the_best_so_far_is_told():
    """As far as it is known."""
    trial = {"trials": 7, "best": {"measurement": {"throughput_ips": 12.5}}}
    told = text(trial=trial)
    assert "autotuner_job_trials 7.0" in told
    assert "autotuner_job_best_throughput_ips 12.5" in told
    assert "power_w" not in told
    assert "autotuner_job_trials 0.0" in text(trial={"best": None})


def test_drift_can_be_alerted_on():
    """The profile in force, and those of the models that are kept tuned."""
    kept = [{"model": "a", "state": "kept"}, {"model": "b", "state": "stale"}, {"model": "c"}]
    told = text({**STATUS, "applied": APPLIED, "kept": kept})
    assert 'autotuner_applied_verified{model="net",power_mode="MAXN",profile="p"} 0.0' in told
    assert 'autotuner_kept_fresh{model="a",state="kept"} 1.0' in told
    assert 'autotuner_kept_fresh{model="b",state="stale"} 0.0' in told
    assert 'autotuner_kept_fresh{model="c",state="missing"} 0.0' in told


def test_readings_keep_their_names():
    """Those of docs/sensors.md."""
    told = text(readings=[("cpu.utilisation_percent", 12.0, "%")])
    assert 'autotuner_reading{name="cpu.utilisation_percent",unit="%"} 12.0' in told


@pytest.mark.parametrize("where", ["", "9464", "localhost", ":9464", "a:b", "a:0", "a:70000"])
def test_an_address_has_a_host_and_a_port(where):
    """Anything else is refused."""
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9464"):
        metrics.address(where)


def test_an_address_may_be_of_either_family():
    """IPv6 in brackets."""
    assert metrics.address("127.0.0.1:9464") == ("127.0.0.1", 9464)
    assert metrics.address("[::1]:80") == ("::1", 80)
