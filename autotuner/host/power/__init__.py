"""Power modes and clocks: what may be set here, set, and always put back.

A tuning run calls ``recover`` before anything else, opens the control, takes the values of its
dimension from ``offered`` and changes modes through a ``Switch``.
"""

from autotuner.host.power.base import (
    PRESENT,
    Mode,
    NullControl,
    PowerControl,
    PowerError,
    State,
    offered,
)
from autotuner.host.power.machine import open_control
from autotuner.host.power.recovery import recover
from autotuner.host.power.switch import Switch, held
from autotuner.host.power.thermal import Cooling, cool_down, hottest_c

__all__ = [
    "PRESENT",
    "Cooling",
    "Mode",
    "NullControl",
    "PowerControl",
    "PowerError",
    "State",
    "Switch",
    "cool_down",
    "held",
    "hottest_c",
    "offered",
    "open_control",
    "recover",
]
