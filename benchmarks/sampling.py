"""What watching costs: the share of one core that reading every sensor of this machine takes.

    python benchmarks/sampling.py [SECONDS]

Prints a row for each rate, and fails when the default rate costs more than its goal.
"""

from __future__ import annotations

import sys
import time

from autotuner.host.sensors import Sampler, discover
from autotuner.host.sensors.sampler import DEFAULT_HZ

GOAL_PERCENT = 1.0
RATES_HZ = (1.0, 5.0, DEFAULT_HZ, 20.0)


def cost_percent(hz: float, seconds: float) -> float:
    """Return the share of one core, the thread's CPU time over the time that went by."""
    found = discover()
    with Sampler(found.sensors, hz=hz) as sampler:
        time.sleep(seconds)
        cost = sampler.cost_percent
    assert cost is not None
    return cost


def main() -> int:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    found = discover()
    names = [sensor.name for sensor in found.sensors]
    readings = sum(len(sensor.read()) for sensor in found.sensors)
    for sensor in found.sensors:
        sensor.close()
    print(f"sensors: {', '.join(names)}; {readings} readings")
    costs = {hz: cost_percent(hz, seconds) for hz in RATES_HZ}
    for hz, cost in costs.items():
        goal = f"  (goal: at most {GOAL_PERCENT:g} %)" if hz == DEFAULT_HZ else ""
        print(f"{hz:4.0f} Hz  {cost:6.3f} % of one core{goal}")
    return 0 if costs[DEFAULT_HZ] <= GOAL_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
