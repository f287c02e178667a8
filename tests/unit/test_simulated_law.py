from dataclasses import replace

import pytest

from autotuner.backends.simulated import ModelledDevice, preset
from autotuner.core.config import Config
from autotuner.core.outcome import Failed
from autotuner.core.work import Work

WORK = Work(macs=1e9, nodes=50, weight_bytes=20e6, traffic_bytes=20e6, activation_bytes=4e6)
ACCELERATORS = [name for name in preset.names() if preset.load(name).gpu]
PROCESSORS = [name for name in preset.names() if not preset.load(name).gpu]


def device(name, work=WORK):
    """Return the simulated device *name* running a model that does *work*."""
    return ModelledDevice.scaled(preset.load(name), work)


def at(name, **settings):
    """Return a configuration of the simulated device *name*, its usual one but for *settings*."""
    usual = Config(provider="simulated", power_mode=preset.load(name).default_mode)
    return replace(usual, **settings)


@pytest.mark.parametrize("name", preset.names())
def test_more_work_takes_longer(name):
    """More samples, and a model that computes more for each of them."""
    small, large = device(name), device(name, replace(WORK, macs=3e9))
    assert small.batch_ms(at(name)) < small.batch_ms(at(name, batch_size=2))
    assert small.batch_ms(at(name)) < large.batch_ms(at(name))


@pytest.mark.parametrize("name", preset.names())
def test_a_batch_is_cheaper_than_its_samples_alone(name):
    """What is paid once a batch is shared by its samples."""
    assert device(name).batch_ms(at(name, batch_size=8)) < 8 * device(name).batch_ms(at(name))


@pytest.mark.parametrize("name", preset.names())
def test_fewer_bits_are_faster_and_smaller(name):
    """On a model that computes enough for it to matter."""
    bits = [*preset.load(name).precisions]
    found = [device(name).behaviour(at(name, batch_size=8, precision=p)) for p in bits]
    times = [device(name).batch_ms(at(name, batch_size=8, precision=p)) for p in bits]
    assert times == sorted(times, reverse=True)
    assert [b.memory_mib for b in found] == sorted((b.memory_mib for b in found), reverse=True)


@pytest.mark.parametrize("name", preset.names())
def test_a_lower_clock_is_slower_and_draws_less(name):
    """The power modes of a preset stand in the order of their processor's clock."""
    modes = preset.load(name).power_modes
    found = [device(name).behaviour(at(name, batch_size=8, power_mode=mode)) for mode in modes]
    times = [device(name).batch_ms(at(name, batch_size=8, power_mode=mode)) for mode in modes]
    assert times == sorted(times, reverse=True)
    assert [b.power_w(1.0) for b in found] == sorted(b.power_w(1.0) for b in found)
    assert all(b.power_w(0.0) < b.power_w(1.0) for b in found)


@pytest.mark.parametrize("name", preset.names())
def test_a_model_that_moves_much_is_bound_by_memory(name):
    """The roofline: computing less does not help it then."""
    heavy = replace(WORK, traffic_bytes=1e10)
    lighter = device(name, replace(heavy, macs=1e6)).batch_ms(at(name, batch_size=8))
    assert lighter == pytest.approx(device(name, heavy).batch_ms(at(name, batch_size=8)))


@pytest.mark.parametrize("name", ACCELERATORS)
def test_processes_take_turns_on_an_accelerator(name):
    """Two of them wait at least as long as both batches take, and win nothing by large ones."""
    one, two = at(name, batch_size=32), at(name, batch_size=32, workers=2)
    assert device(name).batch_ms(two) > 2 * device(name).batch_ms(one) * 0.95
    assert device(name).batch_ms(replace(two, intra_op_threads=4)) == device(name).batch_ms(two)


@pytest.mark.parametrize("name", PROCESSORS)
def test_threads_divide_the_work_of_a_processor(name):
    """Not in proportion; and more threads than cores help nobody."""
    cpus = preset.load(name).cpus
    times = [device(name).batch_ms(at(name, intra_op_threads=n)) for n in (1, 2, cpus)]
    assert times == sorted(times, reverse=True)
    assert times[0] < cpus * times[-1]
    spread = device(name).batch_ms(at(name, intra_op_threads=cpus, workers=2))
    assert spread > 2 * times[-1]


@pytest.mark.parametrize("name", PROCESSORS)
def test_threads_that_are_bound_are_a_little_faster(name):
    """Nothing moves them about."""
    bound = at(name, intra_op_threads=1, affinity="compact")
    assert device(name).batch_ms(bound) < device(name).batch_ms(replace(bound, affinity="none"))


def test_a_batch_just_past_a_tile_costs_more_than_a_sample():
    """The step at 16 that was published for the TX2."""
    tx2 = preset.load("jetson-tx2")
    network = ModelledDevice.named(tx2, tx2.models["inception-v2"])
    at_16, at_17, at_18 = (
        network.batch_ms(at("jetson-tx2", batch_size=size)) for size in (16, 17, 18)
    )
    assert at_17 - at_16 == pytest.approx(2.01 * (at_18 - at_17), rel=0.01)


def test_the_energy_is_what_power_and_time_amount_to():
    """Per inference, with every worker busy."""
    name = "jetson-orin-nano"
    config = at(name, batch_size=4, workers=2)
    watts = device(name).behaviour(config).power_w(1.0)
    per_s = 8 / (device(name).batch_ms(config) / 1e3)
    assert device(name).energy_j(config) == pytest.approx(watts / per_s)


def test_batch_times_scatter_around_the_law():
    """Half are faster, and rare ones far slower."""
    name = "jetson-orin-nano"
    quantiles = device(name).behaviour(at(name)).quantiles_ms(1)
    assert list(quantiles) == sorted(quantiles)
    ms = device(name).batch_ms(at(name))
    assert quantiles[len(quantiles) // 2 - 1] == pytest.approx(ms, rel=0.01)
    assert quantiles[-1] > 1.3 * ms


@pytest.mark.parametrize("setting", [{"precision": "int4"}, {"power_mode": "120W"}])
def test_what_the_device_does_not_have_is_unsupported(setting):
    """A failure that names what there is."""
    found = device("titan-v").behaviour(at("titan-v", **setting))
    assert isinstance(found, Failed)
    assert found.reason == "unsupported"
    assert next(iter(setting.values())) in found.detail
