"""The identity of what was measured: device, software, model and workload."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from autotuner.core.encoding import encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What must be equal for a measurement to hold again; equal boxes share it.

    It has no serial numbers and no power mode (that belongs to the configuration). *cpus* counts
    those that this process may use; *shapes* are those of one sample, by input. *io* is ``device``
    where copies to and from a GPU do not count.
    """

    device: str | None = None
    cpu: str | None = None
    cpus: int | None = None
    memory_gib: int | None = None
    gpu: str | None = None
    driver: str | None = None
    runtimes: Mapping[str, str] = field(default_factory=dict)
    os: str | None = None
    model_sha256: str = ""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    data_sha256: str | None = None
    scenario: str = "multistream"
    rate_ips: float | None = None
    io: str | None = None

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that stand for the whole."""
        text = json.dumps(encode(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def differences(self, other: Fingerprint) -> tuple[str, ...]:
        """Return the names of the fields in which *other* differs."""
        return tuple(
            f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)
        )
