"""One configuration: a point of the search space with its typed fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from autotuner.core.space import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a model is run; the defaults are the baseline, the runtime's own defaults.

    *intra_op_threads* None leaves the number to the runtime; *power_mode* ``present`` leaves the
    machine as it is. *max_queue_delay_ms* is how long a request may wait for its batch to fill,
    None where requests do not queue: everywhere but in the scenario ``server``. *mps* says whether
    the workers share a GPU by CUDA's Multi-Process Service, None where that is no choice of ours.
    *streams* is how many batches one worker runs side by side, each in a thread and on a stream of
    its own.
    """

    batch_size: int = 1
    workers: int = 1
    intra_op_threads: int | None = None
    precision: str = "fp32"
    affinity: str = "none"
    provider: str = "onnxruntime-cpu"
    power_mode: str = "present"
    max_queue_delay_ms: float | None = None
    mps: bool | None = None
    streams: int = 1

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Value]) -> Config:
        """Return the configuration with the settings of *mapping*, defaults elsewhere."""
        return cls(**mapping)  # type: ignore[arg-type]

    def to_mapping(self) -> dict[str, Value]:
        """Return every setting by its name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def concurrency(self) -> int:
        """How many batches are run at once: one on each stream of each worker."""
        return self.workers * self.streams

    def __str__(self) -> str:
        """Say the configuration in a few words; settings that are the baseline's are left out."""
        threads = "default threads"
        if self.intra_op_threads is not None:
            threads = f"{self.intra_op_threads} thread{'s' if self.intra_op_threads > 1 else ''}"
        words = [
            f"batch {self.batch_size}",
            f"{self.workers} worker{'s' if self.workers > 1 else ''} x {threads}",
        ]
        rest = (self.precision, self.affinity, self.provider, self.power_mode)
        usual = (BASELINE.precision, BASELINE.affinity, BASELINE.provider, BASELINE.power_mode)
        words += [word for word, default in zip(rest, usual, strict=True) if word != default]
        if self.max_queue_delay_ms is not None:
            words.append(f"queue delay {self.max_queue_delay_ms:g} ms")
        if self.mps:
            words.append("MPS")
        if self.streams > 1:
            words.append(f"{self.streams} streams")
        return ", ".join(words)


BASELINE = Config()
"""What the runtime does when nobody tunes it: batch 1, one worker, FP32, default threads."""
