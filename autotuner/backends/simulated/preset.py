"""The presets of simulated devices: published figures with their sources, one YAML file each."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from autotuner.backends.simulated.behaviour import Heat
from autotuner.core.encoding import decode
from autotuner.core.errors import InputError
from autotuner.data import resource

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A publication and the figures of this preset that rest on it."""

    cited: str
    figures: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """What the device computes with, at nominal clocks.

    *gmacs* is the rate that networks reach in FP32, in 1e9 multiply-adds a second, with every core;
    *bandwidth_gbs* that of its memory in GB/s. A node takes *launch_us* to start, a batch *host_ms*
    on the CPU. A batch beyond a multiple of *tile* costs *tile_waste* samples more. Processes
    take turns: each further one costs all of them the share *contention* and *switch_ms* a batch.
    *parallel* is the share of the work that threads divide (Amdahl's law); None for an accelerator,
    where threads do not matter.
    """

    gmacs: float
    bandwidth_gbs: float
    launch_us: float
    host_ms: float = 0.0
    tile: int = 1
    tile_waste: float = 0.0
    contention: float = 0.0
    switch_ms: float = 0.0
    parallel: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How a precision compares with FP32: its rate, and the bytes that its values take."""

    speed: float
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerMode:
    """A power mode: its clocks as shares of the nominal ones, and what it draws in W.

    *host*, *compute* and *memory* are the shares of CPU, processor and memory clock; *clock_mhz* is
    the processor's. *idle_w* is drawn always, *host_w* by a busy CPU and *compute_w* by a busy
    processor on top. *cpus* counts the cores that are on, None for all.
    """

    host: float = 1.0
    compute: float = 1.0
    memory: float = 1.0
    clock_mhz: float
    idle_w: float
    host_w: float = 0.0
    compute_w: float
    cpus: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """In MiB: what there is for inference, and what a process takes before it loads a model."""

    usable_mib: float
    process_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How batch times scatter: their relative deviation, correlation, and rare outliers."""

    cv: float
    correlation: float
    outlier_share: float
    outlier_factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a batch costs in FP32 at nominal clocks, alone on the device.

    *host_ms*, *launch_ms* and *weights_ms* once a batch: on the CPU, in starting nodes, and in
    reading the weights; *compute_ms* and *memory_ms* a sample, of which the longer one counts.
    """

    host_ms: float = 0.0
    launch_ms: float = 0.0
    weights_ms: float = 0.0
    compute_ms: float
    memory_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedModel:
    """A model whose times on this device were published; *shape* is that of one sample."""

    description: str
    shape: tuple[int, ...]
    timing: Timing
    weights_mib: float
    activations_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A device as its file describes it; *default_mode* is the power mode that it boots into."""

    schema: int
    name: str
    title: str
    sources: tuple[Source, ...]
    cpu: str
    cpus: int
    gpu: str | None = None
    processor: Processor
    precisions: Mapping[str, Precision]
    power_modes: Mapping[str, PowerMode]
    default_mode: str
    memory: Memory
    noise: Noise
    heat: Heat
    load_s: float
    models: Mapping[str, NamedModel] = field(default_factory=dict)
    digest: str = ""

    @property
    def rail(self) -> str:
        """The rail of what computes."""
        return "CPU" if self.gpu is None else "GPU"


def names() -> tuple[str, ...]:
    """Return the names of all presets."""
    files = resource("profiles", "devices").iterdir()
    return tuple(sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml")))


@functools.cache
def load(name: str) -> Preset:
    """Return the preset *name*; raises InputError, listing all, when there is none."""
    if name not in names():
        known = ", ".join(f"sim:{known}" for known in names())
        raise InputError(f"There is no simulated device {name!r}; choose from {known}.")
    text = resource("profiles", "devices", f"{name}.yaml").read_bytes()
    data = {**yaml.safe_load(text), "digest": hashlib.sha256(text).hexdigest()[:12]}
    preset: Preset = decode(Preset, data, where=name)
    return preset
