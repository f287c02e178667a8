"""A model cut in two between a device and a server: what each cut costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autotuner.core.network import Network

Goal = Literal["latency", "energy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One place to cut: the first *position* nodes run on the device, the rest on the server.

    *tensors* go over the network, *sent_bytes* in all. *energy_j* is what the device spends on its
    part and on sending, None where its power is not known.
    """

    position: int
    after: str
    tensors: tuple[str, ...]
    sent_bytes: int
    device_ms: float
    transfer_ms: float
    server_ms: float
    energy_j: float | None = None

    @property
    def total_ms(self) -> float:
        """The time from input to output."""
        return self.device_ms + self.transfer_ms + self.server_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class CutCheck:
    """A cut that was really made: both parts run here, without the network between them.

    *predicted_ms* is what the profiles say, *expected_ms* that at the speed of this box while it
    was checked. *largest_difference* is that of the outputs to those of the whole model, relative
    to their largest value.
    """

    cut: Cut
    predicted_ms: float
    expected_ms: float
    measured_ms: float
    largest_difference: float

    def __str__(self) -> str:
        return (
            f"Cut after {self.cut.after} and run here: {self.measured_ms:.2f} ms of computing, "
            f"{self.expected_ms:.2f} ms expected ({self.measured_ms / self.expected_ms - 1.0:+.1%})"
            f", {self.predicted_ms:.2f} ms by the profiles; outputs differ by at most "
            f"{self.largest_difference:.1e} of the largest."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Every legal cut of a model, the device alone last and the server alone first.

    *files* are those that were written for the best cut, the device's part first.
    """

    model: str
    network: Network
    goal: Goal
    simulated: bool
    cuts: tuple[Cut, ...]
    checks: tuple[CutCheck, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def server_only(self) -> Cut:
        """Everything is sent."""
        return self.cuts[0]

    @property
    def device_only(self) -> Cut:
        """Nothing is sent."""
        return self.cuts[-1]

    @property
    def best(self) -> Cut:
        """The cut with the least latency, or the least energy where that is the goal."""
        return self.ranked()[0]

    def ranked(self) -> tuple[Cut, ...]:
        """Return the cuts, the best first."""
        if self.goal == "latency":
            return tuple(sorted(self.cuts, key=lambda cut: cut.total_ms))
        known = (cut for cut in self.cuts if cut.energy_j is not None)
        return tuple(sorted(known, key=lambda cut: (cut.energy_j or 0.0, cut.total_ms)))
