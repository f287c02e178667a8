"""Where the time of a model goes, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

from autotuner.core.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """The most that this machine was seen to do under a configuration, by measurement.

    *gflops_s* counts a multiply-add once; *gb_s* is what memory delivers.
    """

    gflops_s: float
    gb_s: float

    def attainable_gflops_s(self, flops: float, moved_bytes: float) -> float:
        """Return what an operation of this intensity could reach (Williams et al., "Roofline")."""
        if moved_bytes <= 0.0:
            return self.gflops_s
        return min(self.gflops_s, flops / moved_bytes * self.gb_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTime:
    """One step of the runtime, for one batch: a node, or several that were fused.

    *nodes* are the model's own nodes in it, empty for a step that the runtime added. *share* is
    that of all steps together, known to *share_margin* either way at 95 %. *flops* and
    *moved_bytes* are None where they are not known.
    """

    name: str
    operator: str
    nodes: tuple[str, ...] = ()
    time_us: float
    share: float
    share_margin: float
    flops: float | None = None
    moved_bytes: float | None = None

    @property
    def gflops_s(self) -> float | None:
        """The operations done in a second, in thousands of millions."""
        if not self.flops or self.time_us <= 0.0:
            return None
        return self.flops / self.time_us / 1e3

    def roofline_share(self, ceilings: Ceilings) -> float | None:
        """Return the part that is reached of what the machine could do."""
        if self.gflops_s is None or self.flops is None or self.moved_bytes is None:
            return None
        return self.gflops_s / ceilings.attainable_gflops_s(self.flops, self.moved_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What the processor counted while the model ran and no layer was timed.

    *cache_misses* are those of the last level among a thousand instructions, None where the
    processor does not count them.
    """

    instructions_per_cycle: float
    cache_misses: float | None = None

    def __str__(self) -> str:
        misses = ""
        if self.cache_misses is not None:
            misses = f", {self.cache_misses:.2f} cache misses in 1000 instructions"
        return f"{self.instructions_per_cycle:.2f} instructions per cycle{misses}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerProfile:
    """A model's layers under one configuration, for one batch.

    *whole_ms* is a run from outside while the layers are timed, *plain_ms* one while they are not.
    *margin* is the largest margin of a layer's share, *wanted_margin* what was asked for.
    *sample_shapes* are those of one sample of each input. *why_no_counters* says why there are no
    *counters*, where they were asked for.
    """

    model: str
    model_sha256: str
    config: Config
    device: str
    simulated: bool = False
    sample_shapes: dict[str, tuple[int, ...]]
    layers: tuple[LayerTime, ...]
    runs: int
    whole_ms: float
    plain_ms: float
    margin: float
    wanted_margin: float
    ceilings: Ceilings | None = None
    counters: Counters | None = None
    why_no_counters: str = ""

    @property
    def counted(self) -> str:
        """What the processor counted in words, empty where nobody asked."""
        if self.counters is not None:
            return f"The processor counted {self.counters}."
        if not self.why_no_counters:
            return ""
        return (
            "Instructions per cycle and cache misses: not available, because "
            f"{self.why_no_counters}."
        )

    @property
    def layers_ms(self) -> float:
        """The time of all layers together."""
        return sum(layer.time_us for layer in self.layers) / 1e3

    @property
    def overhead(self) -> float:
        """By how much timing the layers slows a run down, as a part of the plain run."""
        return self.whole_ms / self.plain_ms - 1.0

    def operators(self) -> tuple[tuple[str, int, float], ...]:
        """Return each operator with its number of layers and its share, the largest first."""
        groups: dict[str, list[float]] = {}
        for layer in self.layers:
            groups.setdefault(layer.operator, []).append(layer.share)
        rows = ((operator, len(shares), sum(shares)) for operator, shares in groups.items())
        return tuple(sorted(rows, key=lambda row: -row[2]))
