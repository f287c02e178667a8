"""The tool finds on simulated devices what was published about the real ones.

Hanhirova et al., Latency and Throughput Characterization of Convolutional Neural Networks for
Mobile Computer Vision, MMSys 2018.
"""

import itertools
from dataclasses import replace

import pytest

from autotuner import venue
from autotuner.core.config import Config
from autotuner.core.events import TuneDone
from autotuner.core.request import MeasureRequest, TuneRequest, Workload
from autotuner.measuring import measure
from autotuner.tuning import Places, tune

TX2, TITAN, NANO = "sim:jetson-tx2", "sim:titan-v", "sim:jetson-orin-nano"
TOLERANCE = 0.03


def never():
    """Say that nobody calls it off."""
    return False


@pytest.fixture
def tuned(tmp_path):
    """Tune on a simulated device and return the end of the run."""

    def run(device, *, model=None, **asked):
        places = Places(
            profiles=tmp_path / "profiles",
            storage=f"sqlite:///{tmp_path / 'studies.db'}",
            cache=tmp_path / "cache",
        )
        scenario = asked.pop("scenario", "multistream")
        workload = Workload(model=model, device=device, scenario=scenario)
        *_, end = tune(TuneRequest(workload=workload, **asked), places=places, cancelled=never)
        assert isinstance(end, TuneDone)
        assert end.simulated == device.removeprefix("sim:")
        return end

    return run


@pytest.fixture
def measured(tmp_path):
    """Measure one configuration on a simulated device for two minutes."""

    def run(device, *, model=None, power_mode="present", **config):
        request = MeasureRequest(
            workload=Workload(model=model, device=device),
            config=Config(power_mode=power_mode, **config),
            seconds=120.0,
        )
        *_, end = measure(request, cache_dir=tmp_path / "cache", cancelled=never)
        return end.outcome

    return run


def faster(measurement):
    """Return inferences per second."""
    return measurement.throughput_ips


@pytest.mark.parametrize(
    ("batch_size", "workers", "ms"), [(1, 1, 33.0), (32, 1, 540.0), (1, 2, 82.0), (16, 2, 620.0)]
)
def test_tx2_takes_the_published_times(measured, batch_size, workers, ms):
    """Inception v2 under TensorFlow 1.5."""
    found = measured(TX2, batch_size=batch_size, workers=workers)
    assert found.mean_ms == pytest.approx(ms, rel=TOLERANCE)


@pytest.mark.parametrize("last", [16, 32])
def test_tx2_drops_just_past_its_tiles(measured, last):
    """Throughput falls from 16 to 17 and from 32 to 33."""
    at, past = (faster(measured(TX2, batch_size=size)) for size in (last, last + 1))
    assert past < 0.985 * at


@pytest.mark.parametrize(
    ("batch_size", "workers", "speed_up"),
    [(32, 1, 32 * 33 / 540), (16, 2, 2 * 16 * 33 / 620), (1, 2, 2 * 33 / 82)],
)
def test_batches_and_processes_speed_tx2_up_as_published(measured, batch_size, workers, speed_up):
    """Relative to one process at batch 1: 1.96, 1.70, and two at batch 1 are slower than one."""
    alone = faster(measured(TX2))
    found = faster(measured(TX2, batch_size=batch_size, workers=workers)) / alone
    assert found == pytest.approx(speed_up, rel=2 * TOLERANCE)


@pytest.mark.parametrize("sizes", [(1,), (16,)])
def test_one_process_beats_two_on_tx2(tuned, sizes):
    """At small and at large batches."""
    found = tuned(
        TX2,
        scenario="offline",
        dimensions={
            "batch_size": sizes,
            "workers": (1, 2),
            "power_mode": ("MAXN",),
            "precision": ("fp32",),
        },
    )
    assert found.winner.config.workers == 1
    assert found.status == "ok"


def test_16_beats_17_on_tx2(tuned):
    """Whoever searches among neighbours must not take the larger one for the faster one."""
    found = tuned(
        TX2,
        scenario="offline",
        dimensions={
            "batch_size": (15, 16, 17, 18),
            "workers": (1,),
            "power_mode": ("MAXN",),
            "precision": ("fp32",),
        },
    )
    assert found.winner.config.batch_size == 16


@pytest.mark.parametrize(
    ("model", "in_maxn", "at_full_clocks"),
    [("ssd-mobilenet", 2.7, 4.3), ("ssd-inception", 1.1, 3.3), ("faster-rcnn", 3.2, 3.2)],
)
def test_detectors_on_tx2_have_the_published_rates(measured, model, in_maxn, at_full_clocks):
    """In MAXN as it boots, and with all clocks at their maximum."""
    assert faster(measured(TX2, model=model)) == pytest.approx(in_maxn, rel=TOLERANCE)
    full = measured(TX2, model=model, power_mode="MAXN+max")
    assert faster(full) == pytest.approx(at_full_clocks, rel=TOLERANCE)


def test_full_clocks_reverse_which_detector_is_faster(measured):
    """Both SSDs are slower than Faster R-CNN in MAXN, and faster at full clocks."""
    names = ("ssd-mobilenet", "ssd-inception", "faster-rcnn")
    in_maxn = {name: faster(measured(TX2, model=name)) for name in names}
    full = {name: faster(measured(TX2, model=name, power_mode="MAXN+max")) for name in names}
    assert max(in_maxn, key=in_maxn.__getitem__) == "faster-rcnn"
    assert min(full, key=full.__getitem__) == "faster-rcnn"


def test_the_search_finds_that_full_clocks_are_better(tuned):
    """For a detector that waits for the CPU."""
    found = tuned(
        TX2,
        model="ssd-mobilenet",
        goal="latency",
        percentile=50.0,
        dimensions={"batch_size": (1,), "workers": (1,), "precision": ("fp32",)},
    )
    assert found.winner.config.power_mode == "MAXN+max"


def test_half_precision_almost_triples_the_throughput_of_titan_v(measured):
    """At large batches; at batch 1 it gains far less."""
    gains = {}
    for size in (1, 128):
        fp32, fp16 = (
            faster(measured(TITAN, batch_size=size, precision=p)) for p in ("fp32", "fp16")
        )
        gains[size] = fp16 / fp32
    assert 2.6 < gains[128] < 3.0
    assert gains[1] < 1.6


def test_titan_v_saturates_near_batch_100(measured):
    """Twice that batch gains next to nothing, a tenth of it loses much."""
    at = {
        size: faster(measured(TITAN, batch_size=size, precision="fp16")) for size in (10, 100, 200)
    }
    assert at[200] < 1.04 * at[100]
    assert at[10] < 0.75 * at[100]


def test_100_ms_on_titan_v_pick_half_precision_and_a_large_batch(tuned):
    """The limit leaves room for them."""
    found = tuned(TITAN, max_latency_ms=100.0)
    assert found.status == "ok"
    assert found.winner.config.precision == "fp16"
    assert found.winner.config.batch_size >= 48


def test_the_search_finds_the_true_optimum_of_a_simulated_device(tuned, tmp_path):
    """Within 1 % of the least energy of all configurations that keep 50 ms, in 40 trials."""
    found = tuned(NANO, max_latency_ms=50.0, goal="energy", max_trials=40)
    device = venue.resolve(Workload(device=NANO), tmp_path / "cache").device
    modes, bits = device.preset.power_modes, device.preset.precisions
    space = [
        replace(found.winner.config, batch_size=size, workers=workers, precision=p, power_mode=mode)
        for size, workers, p, mode in itertools.product(
            (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64), (1, 2, 3, 4), bits, modes
        )
    ]
    assert found.winner.config in space
    best = min(device.energy_j(c) for c in space if device.batch_ms(c) <= 50.0)
    assert found.status == "ok"
    assert found.trials <= 40
    assert device.energy_j(found.winner.config) <= 1.01 * best
