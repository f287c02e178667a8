"""A simulated device: the law with a preset's figures, for one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from autotuner.backends.simulated.behaviour import (
    DEVIATES,
    LEVELS,
    Behaviour,
    Heat,
    Quantiles,
    Rail,
)
from autotuner.backends.simulated.law import BatchCost, batch_cost, timing
from autotuner.backends.simulated.preset import NamedModel, Noise, Preset, Timing
from autotuner.core.config import Config
from autotuner.core.outcome import Failed
from autotuner.core.work import Work

PROVIDER = "simulated"

_MIB = 1024 * 1024
_LOAD_S_PER_MIB = 0.002
_FIRST_INFERENCE_IN_BATCHES = 2.0
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelledDevice:
    """The device of *preset* running one model; see :class:`Device` for the interface."""

    preset: Preset
    timing: Timing
    weights_mib: float
    activations_mib: float

    @classmethod
    def named(cls, preset: Preset, model: NamedModel) -> ModelledDevice:
        """Return the device running a model whose times on it were published."""
        return cls(
            preset=preset,
            timing=model.timing,
            weights_mib=model.weights_mib,
            activations_mib=model.activations_mib,
        )

    @classmethod
    def scaled(cls, preset: Preset, work: Work) -> ModelledDevice:
        """Return the device running any model, by the *work* that the model does."""
        return cls(
            preset=preset,
            timing=timing(work, preset.processor),
            weights_mib=work.weight_bytes / _MIB,
            activations_mib=work.activation_bytes / _MIB,
        )

    @property
    def name(self) -> str:
        """The preset's name."""
        return self.preset.name

    @property
    def memory_mib(self) -> float:
        """What the preset leaves for inference."""
        return self.preset.memory.usable_mib

    @property
    def heat(self) -> Heat | None:
        """The preset's."""
        return self.preset.heat

    def batch_ms(self, config: Config, size: int | None = None) -> float:
        """Return the time of a batch, full unless *size* is given, without any noise."""
        return batch_cost(self.preset, self.timing, config, size or config.batch_size).ms

    def energy_j(self, config: Config) -> float:
        """Return the energy of an inference in full batches back to back, without any noise."""
        cost = batch_cost(self.preset, self.timing, config, config.batch_size)
        power_w = sum(rail.busy_w for rail in self._rails(config, cost).values())
        return power_w * cost.ms / 1e3 / (config.workers * config.batch_size)

    def behaviour(self, config: Config) -> Behaviour | Failed:
        """Return how the device runs *config*."""
        preset = self.preset
        for offered, value in (
            (preset.precisions, config.precision),
            (preset.power_modes, config.power_mode),
        ):
            if value not in offered:
                choice = ", ".join(offered)
                return Failed("unsupported", f"the simulated {self.name} has {choice}, no {value}")
        size = preset.precisions[config.precision].size
        one_mib = preset.memory.process_mib + self.weights_mib * size
        one_mib += self.activations_mib * size * config.batch_size
        cost = batch_cost(preset, self.timing, config, config.batch_size)
        return Behaviour(
            load_s=preset.load_s + self.weights_mib * _LOAD_S_PER_MIB,
            first_inference_s=_FIRST_INFERENCE_IN_BATCHES * cost.ms / 1e3,
            quantiles_ms=lambda batch: _scattered(self.batch_ms(config, batch), preset.noise),
            correlation=preset.noise.correlation,
            memory_mib=config.workers * one_mib,
            clock_mhz=preset.power_modes[config.power_mode].clock_mhz,
            rails=self._rails(config, cost),
        )

    def _rails(self, config: Config, cost: BatchCost) -> Mapping[str, Rail]:
        mode = self.preset.power_modes[config.power_mode]
        rails = {
            "SYSTEM": Rail(idle_w=mode.idle_w, busy_w=mode.idle_w),
            self.preset.rail: Rail(idle_w=0.0, busy_w=mode.compute_w * cost.compute_share),
        }
        if mode.host_w:
            rails["CPU"] = Rail(idle_w=0.0, busy_w=mode.host_w * cost.host_share)
        return rails


def _scattered(ms: float, noise: Noise) -> Quantiles:
    """Return the quantiles of batch times around *ms*: log-normal, the rare ones far above."""
    quantiles: Quantiles = ms * np.exp(noise.cv * DEVIATES)
    rare = np.array(LEVELS) >= 100.0 * (1.0 - noise.outlier_share) - _ROUNDING
    quantiles[rare] *= noise.outlier_factor
    return quantiles
