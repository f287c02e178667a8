from dataclasses import replace

import pytest
from model_values import model_info

from autotuner import plan
from autotuner.core.config import BASELINE, Config
from autotuner.core.errors import SpaceError
from autotuner.core.fingerprint import Fingerprint
from autotuner.host.topology import Topology
from autotuner.model.inputs import InputSpec
from autotuner.subject import Subject

ACCELERATOR = Subject(
    info=model_info(x=("N", 3)),
    inputs=InputSpec(tensors=()),
    topology=Topology(cpus=(0, 1, 2, 3)),
    precisions={"simulated": {"fp32": "fp32", "fp16": "fp32"}},
    fingerprint=Fingerprint(),
    notes=(),
    power_modes=("15W", "25W"),
    usual=replace(BASELINE, provider="simulated", power_mode="15W"),
    accelerated=True,
)
GRID = (Config(), Config(batch_size=4), Config(batch_size=4, workers=2, intra_op_threads=1))
REPLAYED = replace(
    ACCELERATOR,
    precisions={"onnxruntime-cpu": {"fp32": "fp32"}},
    power_modes=("present",),
    usual=BASELINE,
    accelerated=False,
    recorded=GRID,
)


def test_an_accelerator_leaves_threads_and_affinity_out():
    """They mean nothing there; precisions and power modes do."""
    space = plan.search_space(ACCELERATOR, {})
    assert space.names == ("batch_size", "workers", "provider", "precision", "power_mode")
    assert space["workers"].values == (1, 2, 3, 4)
    assert len(space) == 12 * 4 * 2 * 2


def test_a_recording_has_the_dimensions_of_what_was_recorded():
    """And none for what was no choice then."""
    names = plan.search_space(REPLAYED, {}).names
    assert {"batch_size", "workers", "intra_op_threads"} <= set(names)
    assert {"mps", "max_queue_delay_ms"}.isdisjoint(names)


def test_one_precision_and_one_power_mode_are_no_choice():
    """The space has only dimensions that can be chosen."""
    only = {"simulated": {"fp32": "fp32"}}
    plain = replace(ACCELERATOR, precisions=only, power_modes=("present",))
    assert plan.search_space(plain, {}).names == ("batch_size", "workers", "provider")


def test_an_accelerator_is_tried_in_every_precision_and_power_mode_first():
    """All of it in the space, at a middling batch."""
    space = plan.search_space(ACCELERATOR, {})
    seeds = plan.seeds(space, ACCELERATOR)
    assert all(seed in space for seed in seeds)
    for name in ("precision", "power_mode"):
        assert {seed[name] for seed in seeds} == {*space[name].values}


@pytest.mark.parametrize("narrowed", [{"precision": ("fp16",)}, {"batch_size": (1,)}])
def test_seeds_keep_what_the_user_narrowed(narrowed):
    """Whatever it is."""
    space = plan.search_space(ACCELERATOR, narrowed)
    seeds = plan.seeds(space, ACCELERATOR)
    assert seeds
    assert all(seed in space for seed in seeds)


@pytest.mark.parametrize(
    ("narrowed", "choice"),
    [({"precision": ("int8",)}, "fp32, fp16"), ({"power_mode": ("MAXN",)}, "15W, 25W")],
)
def test_what_the_device_does_not_offer_is_refused(narrowed, choice):
    """The message lists what it offers."""
    with pytest.raises(SpaceError, match=choice):
        plan.search_space(ACCELERATOR, narrowed)


@pytest.mark.parametrize("setting", [{"intra_op_threads": 2}, {"affinity": "compact"}])
def test_threads_on_an_accelerator_are_refused(setting):
    """Nothing is measured under a name that means nothing."""
    with pytest.raises(SpaceError, match="accelerator"):
        plan.check(replace(ACCELERATOR.usual, **setting), ACCELERATOR)


def test_the_space_of_a_recording_is_what_was_recorded():
    """No more, and no less."""
    space = plan.search_space(REPLAYED, {})
    assert len(space) == len(GRID)
    assert {Config.from_mapping(config) for config in space} == {*GRID}


def test_a_recording_can_be_narrowed_to_what_is_in_it():
    """And to nothing else."""
    assert len(plan.search_space(REPLAYED, {"batch_size": (4,)})) == 2
    with pytest.raises(SpaceError, match="choose from 1, 4"):
        plan.search_space(REPLAYED, {"batch_size": (3,)})


def test_a_recording_serves_requests_with_any_queue_delay():
    """The delay is no matter of the batches that were recorded."""
    served = replace(REPLAYED, fingerprint=Fingerprint(scenario="server"))
    space = plan.search_space(served, {})
    assert len(space["max_queue_delay_ms"].values) > 1
    plan.check(replace(GRID[1], max_queue_delay_ms=5.0), served)


def test_what_was_not_recorded_is_refused():
    """The message says so."""
    with pytest.raises(SpaceError, match="not recorded"):
        plan.check(Config(batch_size=2), REPLAYED)


def test_the_baseline_is_the_usual_configuration_of_the_device():
    """Batch 1, one worker, FP32, in the mode that it boots into."""
    assert ACCELERATOR.baseline == ACCELERATOR.usual
    assert ACCELERATOR.baseline.batch_size == 1
