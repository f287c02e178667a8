"""What a made-up board with six CPUs, a GPU and three rails says, the same at every run."""

import itertools
import math

from autotuner.core.outcome import Histogram

T0 = 1795247040.0
"""When the recorded job began."""


def telemetry(count=40):
    """Return *count* telemetry messages, one a second from T0 on."""
    return [{"t": T0 + i, "readings": _readings(i)} for i in range(count)]


def _readings(i):
    wave = math.sin(i / 6)
    found = []
    for core, busy in enumerate((90, 86, 80, 35, 14, 6)):
        use = max(0.0, min(100.0, busy + 9 * math.sin(i / (3 + core))))
        found.append(_reading(f"cpu{core}.utilisation_percent", use, "%"))
        found.append(_reading(f"cpu{core}.clock_mhz", 1510 if core < 4 else 730, "MHz"))
    return [
        *found,
        _reading("gpu.utilisation_percent", 60 + 35 * wave, "%"),
        _reading("gpu.clock_mhz", 918, "MHz"),
        _reading("memory.used_mib", 3400 + 300 * wave, "MiB"),
        _reading("memory.available_mib", 4200 - 300 * wave, "MiB"),
        _reading("power.total_w", 11.8 + 2.2 * wave, "W"),
        _reading("power.vdd_soc_w", 2.3, "W"),
        _reading("power.throttle", float(20 < i < 24), "flag"),
        _reading("temperature.cpu_c", 58 + 4 * wave, "C"),
        _reading("temperature.gpu_c", 55 + 4 * wave, "C"),
        _reading("fan.rpm", None, "1/min", "this board has no fan tachometer"),
    ]


def _reading(name, value, unit, why=None):
    value = None if value is None else round(value, 2)
    return {"name": name, "value": value, "unit": unit, "why": why}


def histogram(measured):
    """Return a histogram that has these percentiles, for records that are older than histograms."""
    low, high, n = measured.p50_ms / 1.3, measured.max_ms, measured.n
    known = {low: 0.0, measured.p50_ms: 0.5, measured.p90_ms: 0.9, measured.p99_ms: 0.99, high: 1.0}
    places, shares = zip(*sorted(known.items()), strict=True)
    edges = [low * (high / low) ** (i / 48) for i in range(49)]
    below = [round(n * _interpolated(edge, places, shares)) for edge in edges[:-1]] + [n]
    counts = tuple(b - a for a, b in itertools.pairwise(below))
    return Histogram(low_ms=low, high_ms=high, counts=counts)


def _interpolated(x, places, shares):
    for (x0, x1), (y0, y1) in zip(
        itertools.pairwise(places), itertools.pairwise(shares), strict=True
    ):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return shares[-1]
