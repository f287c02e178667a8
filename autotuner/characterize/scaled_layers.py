"""Layer times that nobody measured: a total, shared out by the operations of each layer."""

from __future__ import annotations

from collections.abc import Mapping

from autotuner.core.config import Config
from autotuner.core.inspection import Layer
from autotuner.core.layer_profile import LayerProfile, LayerTime


def share_out(
    layers: tuple[Layer, ...],
    *,
    model: str,
    model_sha256: str,
    device: str,
    config: Config,
    total_ms: float,
    sample_shapes: Mapping[str, tuple[int, ...]],
) -> LayerProfile:
    """Return a profile whose layers take *total_ms* together, each in proportion to its FLOPs."""
    flops = sum(layer.flops or 0 for layer in layers)
    times = tuple(
        LayerTime(
            name=layer.name,
            operator=layer.operator,
            nodes=(layer.name,),
            time_us=1e3 * total_ms * (layer.flops or 0) / flops,
            share=(layer.flops or 0) / flops,
            share_margin=0.0,
            flops=float(config.batch_size * (layer.flops or 0)),
        )
        for layer in layers
    )
    return LayerProfile(
        model=model,
        model_sha256=model_sha256,
        config=config,
        device=device,
        simulated=True,
        sample_shapes=dict(sample_shapes),
        layers=times,
        runs=0,
        whole_ms=total_ms,
        plain_ms=total_ms,
        margin=0.0,
        wanted_margin=0.0,
    )
