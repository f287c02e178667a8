"""Devices that are not there: modelled from published figures, or recorded on a real box.

A virtual bench asks a device how it runs a configuration; nothing here measures anything.
"""

from __future__ import annotations

from autotuner.backends.simulated.behaviour import Behaviour, Device, Heat, Rail
from autotuner.backends.simulated.modelled import PROVIDER, ModelledDevice
from autotuner.backends.simulated.recording import RecordedDevice

__all__ = ["PROVIDER", "Behaviour", "Device", "Heat", "ModelledDevice", "Rail", "RecordedDevice"]
