"""What the machine shows: readings by name, from whatever can be read here."""

from autotuner.host.sensors.base import Missing, NullSensor, Reading, ReplaySensor, Sensor
from autotuner.host.sensors.discovery import Discovery, discover
from autotuner.host.sensors.sampler import Sample, Sampler

__all__ = [
    "Discovery",
    "Missing",
    "NullSensor",
    "Reading",
    "ReplaySensor",
    "Sample",
    "Sampler",
    "Sensor",
    "discover",
]
