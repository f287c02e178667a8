from __future__ import annotations

import pytest

from autotuner.core.capacity import Fit, Task, fits
from autotuner.core.config import Config
from autotuner.core.errors import InputError
from autotuner.core.outcome import Failed, Measurement
from autotuner.core.sweep import ModelSize, Point, Sweep


def sweep(*points):
    """Return a sweep of the model m: (batch size, workers, MiB or failure, inferences/s)."""
    return Sweep(
        tool_version="0",
        created="2025-01-01T00:00:00+00:00",
        box="box",
        models=(ModelSize(model="m", parameters=1, flops=1),),
        points=tuple(
            Point(
                model="m",
                config=Config(batch_size=size, workers=workers, intra_op_threads=workers),
                outcome=Failed("oom")
                if memory is None
                else Measurement(memory_mib=memory, throughput_ips=rate),
            )
            for size, workers, memory, rate in points
        ),
    )


def test_a_second_worker_tells_what_each_takes():
    """What is left of the first one is shared; a tenth of the memory is for the system."""
    (fit,) = fits(sweep((1, 1, 300.0, 10.0), (1, 2, 500.0, 18.0)), 2000.0)
    assert (fit.instance_mib, fit.shared_mib) == (200.0, 100.0)
    assert fit.instances == 8  # (1800 - 100) / 200
    assert (fit.throughput_ips, fit.measured_workers) == (18.0, 2)


def test_one_worker_alone_counts_whole():
    """Nothing is known to be shared; the second ran out of memory."""
    (fit,) = fits(sweep((1, 1, 300.0, 10.0), (1, 2, None, None)), 1000.0)
    assert (fit.instance_mib, fit.shared_mib, fit.instances) == (300.0, 0.0, 3)


def test_more_memory_for_two_than_for_twice_one_is_not_believed():
    """An instance takes at most what one alone takes."""
    (fit,) = fits(sweep((1, 1, 300.0, 10.0), (1, 2, 700.0, 18.0)), 1000.0)
    assert (fit.instance_mib, fit.shared_mib) == (300.0, 0.0)


def test_each_batch_size_is_a_fit_of_its_own():
    """And memory that holds none says none."""
    found = fits(sweep((1, 1, 300.0, 10.0), (8, 1, 900.0, 30.0)), 500.0)
    assert [(fit.config.batch_size, fit.instances) for fit in found] == [(1, 1), (8, 0)]


def test_a_task_needs_whole_boxes():
    """Cameras times images times tiles in the time of an item."""
    task = Task(cameras=4, images=2, tiles=9, item_s=1.5)
    fit = Fit(
        model="m",
        config=Config(),
        instance_mib=1.0,
        shared_mib=0.0,
        instances=4,
        throughput_ips=30.0,
        measured_workers=2,
    )
    assert task.rate_ips == pytest.approx(48.0)
    assert task.boxes(fit) == 2


@pytest.mark.parametrize(("instances", "rate"), [(1, 30.0), (4, None)])
def test_boxes_are_not_known_where_the_measured_ones_do_not_fit(instances, rate):
    """Nor where no throughput was measured."""
    fit = Fit(
        model="m",
        config=Config(),
        instance_mib=1.0,
        shared_mib=0.0,
        instances=instances,
        throughput_ips=rate,
        measured_workers=2,
    )
    assert Task().boxes(fit) is None


def test_a_task_without_work_is_refused():
    """Its figures are all above zero."""
    with pytest.raises(InputError, match="above zero"):
        Task(cameras=0)
