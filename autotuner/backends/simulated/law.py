"""The law by which a simulated device takes its time: a roofline with fixed costs. Pure.

A batch of b samples costs, beside its work on the CPU,

    launch + weights + max(compute, memory) * (b + waste * whole tiles before the last one)

where every part follows the clock that it depends on. The accelerator works for one process at a
time; the cores of a CPU are shared by all threads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from autotuner.backends.simulated.preset import PowerMode, Preset, Processor, Timing
from autotuner.core.config import Config
from autotuner.core.work import Work

_LAUNCH_POWER = 0.4
"""An accelerator that waits for its next node draws this share of its power."""
_UNBOUND = 1.02
"""Threads that the system moves about take so much longer than bound ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCost:
    """The time of a batch with every worker busy, and which share of it what is busy.

    *host_share* and *compute_share* are those of the CPU's and of the processor's full power.
    """

    ms: float
    host_share: float
    compute_share: float


def timing(work: Work, processor: Processor) -> Timing:
    """Return what a model that does *work* costs on *processor*."""
    bytes_per_ms = processor.bandwidth_gbs * 1e6
    return Timing(
        host_ms=processor.host_ms,
        launch_ms=work.nodes * processor.launch_us / 1e3,
        weights_ms=work.weight_bytes / bytes_per_ms,
        compute_ms=work.macs / (processor.gmacs * 1e6),
        memory_ms=work.traffic_bytes / bytes_per_ms,
    )


def batch_cost(preset: Preset, timing: Timing, config: Config, size: int) -> BatchCost:
    """Return what a batch of *size* costs under *config*, whose settings *preset* knows."""
    mode = preset.power_modes[config.power_mode]
    if preset.processor.parallel is None:
        return _on_accelerator(preset, timing, config, mode, size)
    return _on_cpu(preset, timing, config, mode, size, preset.processor.parallel)


def _on_accelerator(
    preset: Preset, timing: Timing, config: Config, mode: PowerMode, size: int
) -> BatchCost:
    processor, precision = preset.processor, preset.precisions[config.precision]
    host_ms = timing.host_ms / mode.host
    launch_ms = timing.launch_ms / mode.compute
    sample_ms = max(
        timing.compute_ms / (precision.speed * mode.compute),
        timing.memory_ms * precision.size / mode.memory,
    )
    work_ms = timing.weights_ms * precision.size / mode.memory
    work_ms += sample_ms * _samples(processor, size)
    others = config.workers - 1
    turn_ms = launch_ms + work_ms
    round_ms = config.workers * turn_ms * (1.0 + processor.contention * others)
    round_ms += processor.switch_ms * others
    # Work on the CPU goes on while the accelerator serves another process.
    ms = max(host_ms + turn_ms, round_ms)
    load = (work_ms + _LAUNCH_POWER * launch_ms) / turn_ms
    return BatchCost(
        ms=ms,
        host_share=min(1.0, config.workers * host_ms / ms),
        compute_share=load * min(1.0, round_ms / ms),
    )


def _on_cpu(
    preset: Preset, timing: Timing, config: Config, mode: PowerMode, size: int, parallel: float
) -> BatchCost:
    processor, precision = preset.processor, preset.precisions[config.precision]
    cpus = mode.cpus or preset.cpus
    threads = min(config.intra_op_threads or cpus, cpus)
    crowd = max(1.0, config.workers * threads / cpus)
    if crowd > 1.0:
        crowd *= 1.0 + processor.contention
    slowdown = crowd * (_UNBOUND if config.affinity == "none" else 1.0)
    fewer = _speedup(preset.cpus, parallel) / _speedup(threads, parallel)
    sample_ms = max(
        timing.compute_ms * fewer * slowdown / (precision.speed * mode.compute),
        timing.memory_ms * precision.size * config.workers / mode.memory,
    )
    alone_ms = (timing.host_ms + timing.launch_ms) * slowdown / mode.compute
    work_ms = timing.weights_ms * precision.size * config.workers / mode.memory
    work_ms += sample_ms * _samples(processor, size)
    ms = alone_ms + work_ms
    busy_cpus = config.workers * (threads * work_ms + alone_ms) / ms
    return BatchCost(ms=ms, host_share=0.0, compute_share=min(1.0, busy_cpus / cpus))


def _samples(processor: Processor, size: int) -> float:
    """Return how many samples' worth of work a batch of *size* is."""
    return size + processor.tile_waste * (math.ceil(size / processor.tile) - 1)


def _speedup(threads: int, parallel: float) -> float:
    return 1.0 / (1.0 - parallel + parallel / threads)
