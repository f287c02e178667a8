"""OpenVINO's core: imported so that it keeps to itself, and asked what it finds on this machine."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping
from typing import Any

from autotuner.backends.survey import answer, ask


def import_openvino() -> Any:
    """Import the package and return it."""
    # Its import reports the use to its makers over the network, from a thread of its own that would
    # run beside the first measurement. Where the package that does so is missing, it goes without.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    # For every inference its TBB binds the calling thread and its helpers to a whole NUMA node, by
    # way of hwloc, even where pinning is off, and so undoes the binding to the worker's own CPUs.
    # Told that the machine is another one, hwloc binds nothing (hwloc, environment variables).
    os.environ.setdefault("HWLOC_THISSYSTEM", "0")
    import openvino  # noqa: PLC0415 - optional, and heavy

    return openvino


@functools.cache
def capabilities() -> Mapping[str, frozenset[str]]:
    """Return what each device can compute in, in OpenVINO's words, such as ``{"CPU": {"FP32"}}``.

    Raises BackendFailure, with the last line that OpenVINO wrote, when it does not get that far.
    """
    # That takes 0.2 s, the import included.
    found = ask(__name__, otherwise="OpenVINO does not start here").value
    return {name: frozenset(words) for name, words in found.items()}


def _survey() -> dict[str, list[str]]:
    """Return the capabilities of the devices in this process; of several GPUs the first one's."""
    core = import_openvino().Core()
    found: dict[str, list[str]] = {}
    for device in core.available_devices:
        words = core.get_property(device, "OPTIMIZATION_CAPABILITIES")
        found.setdefault(device.partition(".")[0], words)
    return found


if __name__ == "__main__":
    answer(_survey)
