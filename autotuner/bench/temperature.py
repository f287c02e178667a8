"""The temperature of a device that is not there, and the clocks that it lowers when it is hot."""

from __future__ import annotations

import math

from autotuner.backends.simulated import Heat

_STEP_DOWN, _STEP_UP = 0.02, 0.01
_RELIEF_K = 2.0


class Body:
    """A device that warms by the power it draws; cold at the beginning, never hot without *heat*.

    *clock* is the share of its nominal clock that it runs at.
    """

    def __init__(self, heat: Heat | None) -> None:
        self._heat = heat
        self.celsius = heat.ambient_c if heat else None
        self.clock = 1.0

    def spend(self, power_w: float, seconds: float) -> None:
        """Let *seconds* go by at *power_w*."""
        heat = self._heat
        if heat is None or self.celsius is None:
            return
        target_c = heat.ambient_c + heat.kelvin_per_w * power_w
        self.celsius += (target_c - self.celsius) * (1.0 - math.exp(-seconds / heat.tau_s))
        if self.celsius >= heat.throttle_c:
            self.clock = max(heat.floor, self.clock - _STEP_DOWN)
        elif self.celsius < heat.throttle_c - _RELIEF_K:
            self.clock = min(1.0, self.clock + _STEP_UP)
