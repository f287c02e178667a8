"""A thread that reads every sensor some times a second and keeps what it saw."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from autotuner.host.sensors.base import Reading, Sensor, unavailable

DEFAULT_HZ = 10.0
_SLOWEST_HZ, _FASTEST_HZ = 1.0, 20.0
_KEPT_S = 600.0
_STALE_PERIODS = 5
_STOP_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The values that were known at one moment of the monotonic clock, by the readings' names."""

    at_ns: int
    values: Mapping[str, float]


class Sampler:
    """Reads *sensors* *hz* times a second in a thread of its own; a context manager.

    Where two sensors show the same name, the first one counts. What is kept reaches ten minutes
    back. Raises ValueError for a rate that is not between 1 and 20.
    """

    def __init__(self, sensors: Iterable[Sensor], hz: float = DEFAULT_HZ) -> None:
        if not _SLOWEST_HZ <= hz <= _FASTEST_HZ:
            raise ValueError(f"sensors are read {_SLOWEST_HZ:g} to {_FASTEST_HZ:g} times a second")
        self._sensors = tuple(sensors)
        self._period_s = 1.0 / hz
        self._samples: deque[Sample] = deque(maxlen=int(_KEPT_S * hz))
        self._latest: Sequence[Reading] = ()
        self._latest_ns = time.monotonic_ns()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._cpu_ns = 0
        self._wall_ns = 0

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(_STOP_S)  # a driver may hang; the thread is a daemon for that reason

    @property
    def cost_percent(self) -> float | None:
        """The share of one core that sampling took so far, None before the second sample."""
        return 100.0 * self._cpu_ns / self._wall_ns if self._wall_ns else None

    def latest(self) -> Sequence[Reading]:
        """Return the last readings; n/a when they are old because a sensor hangs."""
        age_s = (time.monotonic_ns() - self._latest_ns) / 1e9
        if age_s <= max(1.0, _STALE_PERIODS * self._period_s):
            return self._latest
        why = f"the sensors have not answered for {age_s:.0f} s"
        return tuple(unavailable(reading.name, reading.unit, why) for reading in self._latest)

    def between(self, begin_ns: int, end_ns: int) -> tuple[Sample, ...]:
        """Return the samples of a stretch of time, with the one before and the one after it.

        The one after is there only when the stretch ended more than a period ago.
        """
        with self._lock:
            samples = tuple(self._samples)
        inside = [i for i, sample in enumerate(samples) if begin_ns <= sample.at_ns <= end_ns]
        if inside:
            return samples[max(0, inside[0] - 1) : inside[-1] + 2]
        later = next((i for i, s in enumerate(samples) if s.at_ns > end_ns), len(samples))
        return samples[max(0, later - 1) : later + 1]

    def read_once(self) -> Sequence[Reading]:
        """Read every sensor now and keep what it shows."""
        at_ns = time.monotonic_ns()
        found: dict[str, Reading] = {}
        for sensor in self._sensors:
            for reading in _read(sensor):
                if reading.name not in found or found[reading.name].value is None:
                    found[reading.name] = reading
        values = {name: r.value for name, r in found.items() if r.value is not None}
        self._latest, self._latest_ns = tuple(found.values()), at_ns
        with self._lock:
            self._samples.append(Sample(at_ns=at_ns, values=values))
        return self._latest

    def _run(self) -> None:
        began_ns, cpu_before_ns = time.monotonic_ns(), time.thread_time_ns()
        due_s = time.monotonic()
        while not self._stop.is_set():
            self.read_once()
            self._cpu_ns = time.thread_time_ns() - cpu_before_ns
            self._wall_ns = time.monotonic_ns() - began_ns
            now_s = time.monotonic()
            # A box that was too busy for a reading does not get several at once.
            due_s = max(due_s + self._period_s, now_s)
            self._stop.wait(due_s - now_s)
        for sensor in self._sensors:
            sensor.close()


def _read(sensor: Sensor) -> Sequence[Reading]:
    try:
        return sensor.read()
    except Exception as error:  # noqa: BLE001 - one broken sensor must not end all of them
        why = f"the sensor {sensor.name} is broken: {error}"
        return (unavailable(sensor.name, "", why),)
