from __future__ import annotations

import pytest

from autotuner.bench.footprint import gpu_figures, predict_mib, shortage
from autotuner.core.config import Config
from autotuner.core.outcome import Measurement
from autotuner.host.sensors.sampler import Sample


def measured(**by_batch_and_workers):
    """Return measurements of 100 MiB and 10 MiB for each sample, for every worker."""
    return {
        Config(batch_size=batch, workers=workers): Measurement(
            memory_mib=workers * (100.0 + 10.0 * batch)
        )
        for batch, workers in by_batch_and_workers.values()
    }


def test_it_is_a_line_over_the_batch_for_every_worker():
    """Two batch sizes are enough to know a third, and more workers need more."""
    known = measured(a=(1, 1), b=(4, 2))
    assert predict_mib(Config(batch_size=64), known) == pytest.approx(740.0)
    assert predict_mib(Config(batch_size=64, workers=3), known) == pytest.approx(2220.0)


def test_one_batch_size_tells_at_least_the_workers():
    """Without a second one, growth with the batch is not made up."""
    assert predict_mib(Config(batch_size=8, workers=4), measured(a=(1, 1))) == pytest.approx(440.0)


def test_streams_share_what_does_not_grow_with_the_batch():
    """Two streams with a batch of 2 each need what one with a batch of 4 needs."""
    known = measured(a=(1, 1), b=(4, 1))
    two = Config(batch_size=2, streams=2)
    assert predict_mib(two, known) == pytest.approx(140.0)
    known = {two: Measurement(memory_mib=140.0), Config(): Measurement(memory_mib=110.0)}
    assert predict_mib(Config(batch_size=8, workers=2), known) == pytest.approx(360.0)


def test_another_runtime_tells_nothing():
    """Memory of one provider or precision is not that of another."""
    assert predict_mib(Config(precision="int8"), measured(a=(1, 1))) is None
    assert predict_mib(Config(), {Config(): Measurement(p99_ms=1.0)}) is None


def test_it_never_falls_below_what_the_smallest_batch_needs():
    """A falling line is noise."""
    known = {
        Config(batch_size=1): Measurement(memory_mib=120.0),
        Config(batch_size=8): Measurement(memory_mib=100.0),
    }
    assert predict_mib(Config(batch_size=64), known) == pytest.approx(100.0)


def sample(**values):
    """Return what sensors showed of a GPU with 8000 MiB; *values* are readings of it."""
    readings = {"gpu.memory_total_mib": 8000.0, **{f"gpu.{n}_mib": v for n, v in values.items()}}
    return Sample(at_ns=0, values=readings)


def test_of_a_gpus_memory_ours_is_the_most_that_our_processes_had():
    """What others have taken is not to be had."""
    seen = (
        sample(memory_used=3000.0, process7=500.0, process8=500.0, process9=2000.0),
        sample(memory_used=3200.0, process7=600.0, process8=600.0, process9=2000.0),
        sample(memory_used=3100.0, process7=550.0, process8=550.0, process9=2000.0),
    )
    found = gpu_figures(seen, (7, 8))
    assert found == {"gpu_memory_mib": 1200.0, "gpu_memory_free_mib": 6000.0}
    assert gpu_figures(seen, (5,)) == {}


def on_gpu(batch_size, workers, mib):
    """Return a configuration on a GPU with 6000 MiB to have, and what it took of them."""
    extra = {"gpu_memory_mib": mib, "gpu_memory_free_mib": 6000.0}
    config = Config(batch_size=batch_size, workers=workers, provider="tensorrt")
    return {config: Measurement(memory_mib=10.0 * workers, extra=extra)}


def test_the_gpus_memory_limits_the_workers():
    """As the host's does, which may have plenty."""
    known = on_gpu(1, 1, 1100.0) | on_gpu(8, 2, 3600.0)
    three = Config(batch_size=8, workers=3, provider="tensorrt")
    four = Config(batch_size=8, workers=4, provider="tensorrt")
    assert shortage(three, known, 1e6) is None
    assert shortage(four, known, 1e6) == (
        "it needs about 7200 MiB of the GPU's memory and 6000 are free"
    )
    assert shortage(three, known, 25.0) == "it needs about 30 MiB and 25 are free"
    assert shortage(Config(), known, 25.0) is None
