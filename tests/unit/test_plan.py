from __future__ import annotations

from dataclasses import replace

import pytest
from model_values import input_tensor, model_info

from autotuner import plan
from autotuner.core.config import BASELINE, Config
from autotuner.core.errors import SpaceError
from autotuner.core.fingerprint import Fingerprint
from autotuner.host.topology import Topology
from autotuner.model.inputs import InputSpec
from autotuner.subject import Subject


def subject(cpus=4, *, batch="N", quota=None, **precisions):
    """Return a model with this *batch* axis on a machine with so many CPUs.

    *precisions* are those of each runtime's CPU provider, FP32 on ONNX Runtime by default.
    """
    offered = precisions or {"onnxruntime": ("fp32",)}
    return Subject(
        info=model_info(x=(batch, 3)),
        inputs=InputSpec(tensors=(input_tensor(),)),
        topology=Topology(cpus=tuple(range(cpus)), quota=quota),
        precisions={
            f"{runtime}-cpu": {name: name for name in names} for runtime, names in offered.items()
        },
        fingerprint=Fingerprint(),
        notes=(),
    )


def values(space, name):
    """Return the values of the dimension *name*."""
    return space[name].values


@pytest.mark.parametrize(
    ("cpus", "workers", "threads", "affinities"),
    [
        (1, (1, 2), (1, None), ("none",)),
        (2, (1, 2, 3, 4), (1, 2, None), ("none", "compact")),
        (4, (1, 2, 3, 4, 6, 8), (1, 2, 3, 4, None), ("none", "compact")),
        (5, (1, 2, 3, 4, 6, 8, 10), (1, 2, 3, 4, 5, None), ("none", "compact")),
    ],
)
def test_the_ladders_come_from_the_cpus(cpus, workers, threads, affinities):
    """Up to two workers a CPU, up to all CPUs for one worker; the last rung is always there."""
    space = plan.search_space(subject(cpus), {})
    assert values(space, "batch_size") == plan.BATCH_SIZES
    assert values(space, "workers") == workers
    assert values(space, "intra_op_threads") == threads
    assert values(space, "affinity") == affinities


def test_a_quota_counts_as_fewer_cpus():
    """The mask may show CPUs whose time the control group does not give."""
    space = plan.search_space(subject(16, quota=2.0), {})
    assert values(space, "workers") == (1, 2, 3, 4)
    assert values(space, "intra_op_threads") == (1, 2, None)


def test_a_large_box_does_not_get_endless_workers():
    """A process each has its price."""
    assert max(values(plan.search_space(subject(64), {}), "workers")) == 16


def test_nothing_oversubscribes_the_box():
    """Workers times threads stay within twice the CPUs; bound workers have CPUs of their own."""
    for config in plan.search_space(subject(4), {}):
        threads = config["intra_op_threads"] or 1
        assert config["workers"] * threads <= (8 if config["affinity"] == "none" else 4)


def test_default_threads_are_for_one_unbound_worker():
    """The runtime takes all CPUs then, which others would have to share."""
    for config in plan.search_space(subject(4), {}):
        if config["intra_op_threads"] is None:
            assert (config["workers"], config["affinity"]) == (1, "none")


def test_every_restriction_says_its_rule():
    """A dry run shows them."""
    space = plan.search_space(subject(4), {})
    assert all(rule.__doc__.endswith(".") for rule in space.restrictions)
    assert any("at most 8 threads" in rule.__doc__ for rule in space.restrictions)


def test_the_baseline_is_in_the_space():
    """What nobody tuned may win."""
    settings = BASELINE.to_mapping()
    space = plan.search_space(subject(2), {})
    assert {name: settings[name] for name in space.names} in space


def test_a_fixed_batch_axis_pins_the_batch_size():
    """Whatever the machine."""
    assert values(plan.search_space(subject(batch=8), {}), "batch_size") == (8,)


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("batch_size", (5,)),
        ("batch_size", (7, 3)),
        ("workers", (5,)),
        ("intra_op_threads", (9,)),
        ("affinity", ("compact",)),
    ],
)
def test_a_dimension_takes_the_values_that_were_named(name, chosen):
    """In their order, whether the ladder has them or not, and every one is in a configuration."""
    narrowed = {"affinity": ("none",), name: chosen}
    space = plan.search_space(subject(4), narrowed)
    assert values(space, name) == chosen
    assert {config[name] for config in space} == set(chosen)


def test_who_names_numbers_may_oversubscribe():
    """Restrictions keep out what makes no sense, not what somebody asks for."""
    narrowed = {"workers": (4,), "intra_op_threads": (4,), "affinity": ("none",)}
    assert len(plan.search_space(subject(2), narrowed)) == len(plan.BATCH_SIZES)


@pytest.mark.parametrize(
    ("narrowed", "message"),
    [
        ({"batchsize": (1,)}, "no dimension 'batchsize'; there are batch_size, workers"),
        ({"affinity": ("scatter",)}, "'scatter' is not offered here; choose from none, compact"),
        ({"provider": ("cuda",)}, "'cuda' is not offered here; choose from onnxruntime-cpu"),
        ({"batch_size": (1, 1)}, "lists a value twice"),
        ({"batch_size": ()}, "no values"),
        ({"workers": (5,), "affinity": ("compact",)}, "leave no configuration"),
    ],
)
def test_what_means_nothing_here_is_refused(narrowed, message):
    """Before anything is measured."""
    with pytest.raises(SpaceError, match=message):
        plan.search_space(subject(4), narrowed)


def test_another_batch_size_than_the_fixed_one_is_refused_with_the_way_to_free_it():
    """A list that holds it among others too."""
    for sizes in ((1,), (1, 8)):
        with pytest.raises(SpaceError, match="export it with a dynamic axis 0"):
            plan.search_space(subject(batch=8), {"batch_size": sizes})
    assert len(plan.search_space(subject(batch=8), {"batch_size": (8,)})) > 1


@pytest.mark.parametrize("cpus", [1, 2, 4, 64])
@pytest.mark.parametrize("batch", ["N", 1, 8])
@pytest.mark.parametrize("narrowed", [{}, {"workers": (2,)}, {"affinity": ("none",)}])
def test_seeds_are_in_the_space(cpus, batch, narrowed):
    """Each once, whatever the space was narrowed to."""
    what = subject(cpus, batch=batch)
    space = plan.search_space(what, narrowed)
    seeds = plan.seeds(space, what)
    assert all(seed in space for seed in seeds)
    assert len({tuple(seed.items()) for seed in seeds}) == len(seeds)
    assert seeds or narrowed


def test_seeds_try_all_cpus_for_one_worker_and_one_worker_a_cpu():
    """The two ends between which the answer usually lies."""
    what = subject(4)
    seeds = plan.seeds(plan.search_space(what, {}), what)
    shapes = {(seed["workers"], seed["intra_op_threads"]) for seed in seeds}
    assert shapes == {(1, 4), (4, 1)}


def test_one_configuration_is_checked_as_the_space_is():
    """What a trial could not run is refused, and what merely makes no sense is measured."""
    what = subject(2)
    for config in (BASELINE, Config(workers=2), Config(workers=8, intra_op_threads=8)):
        plan.check(config, what)
    with pytest.raises(SpaceError, match="not offered here"):
        plan.check(replace(BASELINE, provider="cuda"), what)
    with pytest.raises(SpaceError, match="dynamic axis 0"):
        plan.check(Config(batch_size=2), subject(batch=8))
    with pytest.raises(SpaceError, match=r"needs 3 CPUs .* of the 2 here; .*--affinity none"):
        plan.check(Config(workers=3, intra_op_threads=1, affinity="compact"), what)


TWO_RUNTIMES = {"onnxruntime": ("fp32", "int8"), "openvino": ("fp32", "bf16")}


def test_a_provider_is_asked_for_its_own_precisions_only():
    """Every pair that is offered is in the space, and no other."""
    space = plan.search_space(subject(2, **TWO_RUNTIMES), {})
    pairs = {(config["provider"], config["precision"]) for config in space}
    assert pairs == {
        ("onnxruntime-cpu", "fp32"),
        ("onnxruntime-cpu", "int8"),
        ("openvino-cpu", "fp32"),
        ("openvino-cpu", "bf16"),
    }


def test_a_single_precision_is_no_dimension():
    """There is nothing to choose."""
    assert "precision" not in plan.search_space(subject(), {}).names


def test_seeds_try_every_runtime_and_precision():
    """They differ by factors, so none is left to chance."""
    what = subject(2, **TWO_RUNTIMES)
    space = plan.search_space(what, {})
    seeds = plan.seeds(space, what)
    tried = {(seed["provider"], seed["precision"]) for seed in seeds}
    assert tried == {(config["provider"], config["precision"]) for config in space}


def with_gpu(**settings):
    """Return a model on a machine whose NVIDIA GPU runs it too."""
    precisions = {"onnxruntime-cpu": {"fp32": "fp32"}, "tensorrt": {"tf32": "fp32"}}
    return replace(subject(4), precisions=precisions, **settings)


def test_a_gpu_leaves_threads_and_affinity_out():
    """They mean nothing there, but for who names them; the CPU has its own as ever."""
    space = plan.search_space(with_gpu(), {})
    on_gpu = [config for config in space if config["provider"] == "tensorrt"]
    assert {(c["intra_op_threads"], c["affinity"]) for c in on_gpu} == {(None, "none")}
    assert {c["workers"] for c in on_gpu} == {1, 2, 3, 4}
    on_cpu = {tuple(c.items()) for c in space if c["provider"] == "onnxruntime-cpu"}
    alone = plan.search_space(subject(4), {})
    rest = {"streams": 1, "precision": "fp32"}
    assert on_cpu == {tuple((c | rest).items()) for c in alone}
    named = plan.search_space(with_gpu(), {"provider": ("tensorrt",), "intra_op_threads": (2,)})
    assert values(named, "intra_op_threads") == (2,)


def test_seeds_try_the_gpu_too():
    """Each of its precisions, with what a GPU takes."""
    what = with_gpu()
    seeds = plan.seeds(plan.search_space(what, {}), what)
    assert "tensorrt" in {seed["provider"] for seed in seeds}


def test_mps_is_for_several_workers_on_one_gpu():
    """It is switched where it is ours to switch, and otherwise is no dimension."""
    space = plan.search_space(with_gpu(mps=(False, True)), {})
    sharing = [config for config in space if config["mps"]]
    assert sharing
    assert all(c["workers"] > 1 and c["provider"] == "tensorrt" for c in sharing)
    assert "mps" not in plan.search_space(with_gpu(), {}).names
    alone = with_gpu(mps=(False, True), fingerprint=Fingerprint(scenario="singlestream"))
    assert "mps" not in plan.search_space(alone, {}).names


def test_mps_that_is_not_ours_to_switch_is_refused_with_the_reason():
    """Off it is anyway."""
    used = with_gpu(no_mps="MPS already runs for somebody else")
    for refuse in (
        lambda: plan.search_space(used, {"mps": (False, True)}),
        lambda: plan.check(
            Config(workers=2, provider="tensorrt", precision="tf32", mps=True), used
        ),
    ):
        with pytest.raises(SpaceError, match="already runs for somebody else; leave --mps out"):
            refuse()
    assert values(plan.search_space(used, {"mps": (False,)}), "mps") == (False,)


def test_streams_are_for_one_worker_on_an_nvidia_gpu():
    """As many as there may be workers, instead of them, so that the space hardly grows."""
    space = plan.search_space(with_gpu(), {})
    assert space["streams"].values == space_of_workers(with_gpu())
    several = [config for config in space if config["streams"] > 1]
    assert several
    assert {(c["workers"], c["provider"]) for c in several} == {(1, "tensorrt")}
    assert "streams" not in plan.search_space(subject(4), {}).names
    alone = with_gpu(fingerprint=Fingerprint(scenario="singlestream"))
    assert "streams" not in plan.search_space(alone, {}).names


def space_of_workers(what):
    """Return how many workers may share the GPU."""
    space = plan.search_space(what, {"provider": ("tensorrt",)})
    return tuple(sorted({config["workers"] for config in space}))


def test_who_names_workers_and_streams_gets_both():
    """On the GPU; the CPU has no use for streams."""
    space = plan.search_space(with_gpu(), {"workers": (2,), "streams": (3,)})
    assert {(c["workers"], c["streams"]) for c in space} == {(2, 3)}
    assert {config["provider"] for config in space} == {"tensorrt"}


def test_streams_without_an_nvidia_gpu_are_refused():
    """By name; one stream is what there is anyway."""
    for refuse in (
        lambda: plan.search_space(subject(4), {"streams": (1, 2)}),
        lambda: plan.check(Config(streams=2), subject(4)),
        lambda: plan.check(Config(streams=2), with_gpu()),
    ):
        with pytest.raises(SpaceError, match="leave --streams out"):
            refuse()
    plan.check(Config(provider="tensorrt", precision="tf32", streams=2), with_gpu())
    assert values(plan.search_space(subject(4), {"streams": (1,)}), "streams") == (1,)


@pytest.mark.parametrize(
    ("provider", "offered", "precision"),
    [
        ("openvino-cpu", ("fp32", "bf16"), "bf16"),
        ("openvino-cpu", ("fp32", "int8"), "fp32"),
        ("tensorrt", ("fp32", "tf32", "fp16"), "tf32"),
        ("onnxruntime-cpu", ("fp32", "bf16"), "fp32"),
    ],
)
def test_each_runtimes_own_default_is_a_seed(provider, offered, precision):
    """In the precision that it computes in by itself; the baseline is measured anyway."""
    precisions = {"onnxruntime-cpu": {"fp32": "fp32"}, provider: dict.fromkeys(offered, "fp32")}
    what = replace(subject(2), precisions=precisions)
    default = what.default_of(provider)
    assert default == replace(BASELINE, provider=provider, precision=precision)
    seeds = [Config.from_mapping(s) for s in plan.seeds(plan.search_space(what, {}), what)]
    assert (default in seeds) == (default != BASELINE)
