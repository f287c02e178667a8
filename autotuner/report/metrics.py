"""What metrics are called in figures and tables, and their units."""

from __future__ import annotations

from collections.abc import Mapping

METRICS: Mapping[str, tuple[str, str]] = {
    "throughput_ips": ("throughput", "1/s"),
    "min_ms": ("fastest run", "ms"),
    "p50_ms": ("latency p50", "ms"),
    "p90_ms": ("latency p90", "ms"),
    "p95_ms": ("latency p95", "ms"),
    "p99_ms": ("latency p99", "ms"),
    "memory_mib": ("memory", "MiB"),
    "cpu_utilisation_percent": ("CPU busy", "%"),
    "gpu_utilisation_percent": ("GPU busy", "%"),
    "clock_mhz": ("clock", "MHz"),
    "power_w": ("power", "W"),
    "energy_j": ("energy of an inference", "J"),
    "setup_s": ("setup", "s"),
    "process_start_s": ("setup: process", "s"),
    "load_s": ("setup: load", "s"),
    "first_inference_s": ("setup: first inference", "s"),
}
"""In the order in which they are shown."""


def labelled(metric: str, joint: str = ", ") -> str:
    """Return a metric in words with its unit, its name where it has no words."""
    return joint.join(METRICS[metric]) if metric in METRICS else metric
