"""Write what the jtop service shows to stdout, one JSON document a line.

Run by whatever Python jtop is installed for, so it imports nothing of ours, and what lies beside it
must not bear the name of anything that jtop imports. Whoever starts it sets a deadline.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def _line(service: Any) -> dict[str, Any]:
    """Return numbers by the stable names of docs/sensors.md."""
    figures: dict[str, float] = {}
    for cpu, core in enumerate(service.cpu["cpu"]):
        if core.get("online"):
            figures[f"cpu{cpu}.clock_mhz"] = core["freq"]["cur"] / 1e3
            figures[f"cpu{cpu}.utilisation_percent"] = 100.0 - core["idle"]
    for gpu in list(service.gpu.values())[:1]:
        figures["gpu.clock_mhz"] = gpu["freq"]["cur"] / 1e3
        figures["gpu.utilisation_percent"] = gpu["status"]["load"]
    emc = service.memory.get("EMC")
    if emc:
        figures["memory.clock_mhz"] = emc["cur"] / 1e3
        figures["memory.controller_percent"] = emc["val"]
    for name, rail in service.power.get("rail", {}).items():
        figures[f"power.{name}_w"] = rail["power"] / 1e3
    if "tot" in service.power:
        figures["power.total_w"] = service.power["tot"]["power"] / 1e3
    for name, zone in service.temperature.items():
        if zone.get("online"):
            figures[f"temperature.{name.lower()}_c"] = zone["temp"]
    for process in service.processes:
        figures[f"gpu.process{process[0]}_mib"] = process[8] / 1024.0
    return figures


def main() -> None:
    """Write a line for each sample until the reader or the service goes away."""
    try:
        import jtop  # noqa: PLC0415 - optional
    except ImportError:
        _say({"why": "jetson-stats is not installed"})
        return
    try:
        with jtop.jtop(interval=1.0) as service:
            while service.ok():
                _say({"figures": _line(service)})
    except jtop.JtopException as error:
        _say({"why": " ".join(str(error).split())})


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(document)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
