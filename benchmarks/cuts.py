"""Cut networks at many places, run the parts, and compare their times with what was expected.

    python benchmarks/cuts.py --models squeezenet mobilenet-v2

For every network and runtime the layers are timed; then the network is really cut at places that
part its time evenly, as `autotune partition --verify` cuts it at the best ones. A line for each cut
tells how long both parts took, what the layers let expect at that time and what they had said, and
how far the outputs are from those of the whole network. Two networks on two runtimes take about two
and a half minutes. Figures mean something on a quiet machine only.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from autotuner import locations, subject
from autotuner.characterize.layers import time_layers
from autotuner.characterize.partitioning import partition, verified
from autotuner.core.config import Config
from autotuner.core.events import LayersDone, PartitionDone
from autotuner.core.layer_profile import LayerProfile
from autotuner.core.network import Network
from autotuner.core.partition import Cut, CutCheck
from autotuner.core.request import LayersRequest, PartitionRequest, Workload
from autotuner.model.inputs import InputSpec

PROVIDERS = ("onnxruntime-cpu", "openvino-cpu")
FAST = Network(up_mbit_s=1e4)
LAYERS_S = 8.0


def never() -> bool:
    """Say that nobody calls it off."""
    return False


def layer_times(model: str, provider: str, threads: int) -> LayerProfile:
    """Time the layers of *model*."""
    config = Config(provider=provider, intra_op_threads=threads)
    request = LayersRequest(workload=Workload(model=model), config=config, max_seconds=LAYERS_S)
    *_, done = time_layers(request, cache_dir=locations.cache_dir(), cancelled=never)
    assert isinstance(done, LayersDone)
    return done.profile


def spread(cuts: tuple[Cut, ...], number: int) -> list[Cut]:
    """Return *number* of *cuts* whose first parts are about evenly longer than one another."""
    inside, whole_ms = cuts[1:-1], cuts[-1].device_ms

    def nearest(ms: float) -> Cut:
        return min(inside, key=lambda cut: abs(cut.device_ms - ms))

    steps = range(1, number + 1)
    return list(dict.fromkeys(nearest(whole_ms * step / (number + 1)) for step in steps))


def checks(model: str, provider: str, threads: int, number: int) -> Iterator[CutCheck]:
    """Yield what came out of each cut."""
    profile = layer_times(model, provider, threads)
    workload = Workload(model=model)
    request = PartitionRequest(workload=workload, here=profile, there=profile, network=FAST)
    *_, done = partition(request, cache_dir=locations.cache_dir(), cancelled=never)
    assert isinstance(done, PartitionDone)
    info, tensors = subject.find_model(workload, locations.cache_dir())
    for cut in spread(done.partition.cuts, number):
        yield verified(request, info, cut, InputSpec(tensors=tensors, seed=0), never)


def main() -> None:
    """Print a line for every cut of every network on every runtime."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["squeezenet", "mobilenet-v2"])
    parser.add_argument("--providers", nargs="+", default=PROVIDERS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cuts", type=int, default=6)
    options = parser.parse_args()
    print(
        f"{'network':<13} {'runtime':<16} {'parts':>8} {'expected':>9} {'off by':>7} "
        f"{'profile':>8} {'off by':>7} {'outputs':>8}   cut after"
    )
    worst = 0.0
    for model in options.models:
        for provider in options.providers:
            for check in checks(model, provider, options.threads, options.cuts):
                off = check.measured_ms / check.expected_ms - 1.0
                worst = max(worst, abs(off))
                print(
                    f"{model:<13} {provider:<16} {check.measured_ms:5.2f} ms "
                    f"{check.expected_ms:6.2f} ms {off:+7.1%} {check.predicted_ms:5.2f} ms "
                    f"{check.measured_ms / check.predicted_ms - 1.0:+7.1%} "
                    f"{check.largest_difference:8.1e}   {check.cut.after}",
                    flush=True,
                )
    print(f"At worst {worst:.1%} off what was expected.")


if __name__ == "__main__":
    main()
