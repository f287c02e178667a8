from __future__ import annotations

from dataclasses import replace

import pytest

from autotuner.bench import surroundings
from autotuner.bench.disturbance import Background
from autotuner.bench.process import GivenUp
from autotuner.bench.surroundings import Surroundings
from autotuner.core.config import Config
from autotuner.core.outcome import Failed
from autotuner.host.activity import Activity
from autotuner.host.power import Cooling, PowerError

CALM = Background()
FIGURES = {
    "power_w": 7.5,
    "clock_mhz": 1344.0,
    "throttled": 1.0,
    "idle_power_w": 4.0,
    "power_w.VDD_SOC": 2.0,
}


class Watch:
    """Telemetry that shows what it is told to."""

    idle_gpu_percent = 40.0

    def __init__(self, figures=(), total=("power.VDD_IN_w",)):
        self.figures, self.total = dict(figures), total
        self.calls = []

    def __enter__(self):
        self.calls.append("begin")
        return self

    def __exit__(self, *_):
        self.calls.append("end")

    def idle(self, begin_ns, end_ns):
        """Note for how long, in s."""
        self.calls.append(("idle", (end_ns - begin_ns) / 1e9))

    def between(self, begin_ns, end_ns, device, _pids):
        """Tell the figures."""
        self.calls.append((begin_ns, end_ns, device))
        return self.figures


class Modes:
    """A switch that notes the modes, without the *missing* one; *undo* is what others changed.

    The clocks never follow the mode *slow*.
    """

    def __init__(self, missing=None, undo=(), slow=None):
        self.missing, self.undo, self.slow = missing, undo, slow
        self.calls = []

    def use(self, mode):
        """Note the mode."""
        self.calls.append(mode)
        if mode == self.missing:
            raise PowerError(f"The power mode {mode!r} was not reached.")
        changed = self.calls[-2:] != [mode, mode]
        return ("The clocks did not follow.",) if changed and mode == self.slow else ()

    def undone(self):
        """Tell what others changed."""
        return self.undo

    def __exit__(self, *_):
        self.calls.append("back")


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Return the time that passes by sleeping alone, on a cool machine with no other load."""
    passed = [0.0]

    def sleep(seconds):
        passed[0] += seconds

    def read(*_):
        steady = {"busy_s": 1.0, "steal_s": 0.0, "own_s": 1.0}
        return Activity(at_s=passed[0], throttled=None, clock_mhz=None, **steady)

    monkeypatch.setattr(surroundings.time, "sleep", sleep)
    monkeypatch.setattr(surroundings.time, "monotonic_ns", lambda: round(passed[0] * 1e9))
    monkeypatch.setattr(surroundings.activity, "read", read)
    cool = Cooling(temperature_c=41.0, waited_s=0.0)
    monkeypatch.setattr(surroundings, "cool_down", lambda *_: cool)
    return passed


def around(**parts):
    """Return the surroundings of one CPU on which nothing works."""
    return Surroundings((0,), lambda: (), **parts)


def seen(place, config=None):
    """Return what was seen in the window from 1 to 2 ns."""
    return place.since(place.now(), 1, 2, config or Config(), usual=CALM)


def test_the_power_mode_is_that_of_the_configuration():
    """It is set before anything is loaded."""
    switch = Modes()
    around(switch=switch).prepare(Config(power_mode="15W"))
    assert switch.calls == ["15W"]


def test_a_mode_that_cannot_be_reached_ends_the_trial():
    """It becomes a configuration that could not be run, with the reason."""
    place = around(switch=Modes(missing="15W"))
    with pytest.raises(GivenUp) as ended:
        place.prepare(Config(power_mode="15W"))
    assert ended.value.failed == Failed("unsupported", "The power mode '15W' was not reached.")


def test_clocks_that_do_not_follow_a_mode_are_told():
    """In every measurement until another mode is set; without a switch nothing is known of it."""
    place = around(switch=Modes(slow="15W"))
    told = []
    for mode in ("15W", "15W", "25W"):
        place.prepare(Config(power_mode=mode))
        told.append(seen(place).extra["clocks_settled"])
    assert told == [0.0, 0.0, 1.0]
    assert "clocks_settled" not in seen(around()).extra


def test_figures_land_in_their_fields():
    """The rest is extra, with the temperature at which the trial began."""
    place = around(telemetry=Watch(FIGURES))
    place.prepare(Config())
    found = seen(place)
    assert (found.power_w, found.clock_mhz, found.throttled) == (7.5, 1344.0, True)
    assert found.disturbed is None
    assert found.extra == {
        "idle_power_w": 4.0,
        "power_w.VDD_SOC": 2.0,
        "start_temperature_c": 41.0,
        "hot_start": 0.0,
    }


def test_a_trial_that_could_not_begin_cool_says_so(monkeypatch):
    """It is measured all the same."""
    hot = Cooling(temperature_c=85.0, waited_s=20.0, note="The machine is at 85 °C after 20 s.")
    monkeypatch.setattr(surroundings, "cool_down", lambda *_: hot)
    place = around()
    place.prepare(Config())
    assert seen(place).extra == {"start_temperature_c": 85.0, "hot_start": 1.0}


def test_what_no_sensor_shows_is_unknown():
    """None, and not zero or false."""
    for place in (around(), around(telemetry=Watch())):
        found = seen(place)
        assert (found.power_w, found.clock_mhz, found.throttled) == (None, None, None)


@pytest.mark.parametrize(
    ("provider", "device"),
    [
        ("onnxruntime-cpu", "cpu"),
        ("openvino-cpu", "cpu"),
        ("onnxruntime-cuda", "gpu"),
        ("openvino-gpu", "gpu"),
        ("onnxruntime-tensorrt", "gpu"),
        ("tensorrt", "gpu"),
    ],
)
def test_the_clock_is_that_of_what_the_provider_uses(provider, device):
    """Telemetry is asked for it, and for the window's moments."""
    watch = Watch(FIGURES)
    seen(around(telemetry=watch), Config(provider=provider))
    assert watch.calls == [(1, 2, device)]


def test_a_setting_that_somebody_else_changed_disturbs_the_window():
    """What is measured is not what the configuration says then."""
    changed = "scaling_max_freq was set to '1' and is '2' now"
    assert seen(around(switch=Modes(undo=(changed,)))).disturbed == changed


def test_what_is_usual_is_measured_once(machine):
    """Idle power takes longer to tell than the load of others."""
    watch = Watch()
    place = around(telemetry=watch)
    assert place.background == place.background == replace(CALM, gpu_percent=40.0)
    assert watch.calls == [("idle", 1.0)]
    assert machine == [1.0]


def test_without_a_meter_there_is_no_idle_power_to_wait_for(machine):
    """The load of others is soon told."""
    assert around(telemetry=Watch(total=())).background.others_cpus == 0.0
    assert machine == [0.3]


def test_all_comes_back_at_the_end():
    """Sensors end and the machine's own mode is set."""
    watch, switch = Watch(), Modes()
    with around(telemetry=watch, switch=switch):
        assert watch.calls == ["begin"]
    assert watch.calls == ["begin", "end"]
    assert switch.calls == ["back"]


def test_the_mode_comes_back_when_the_sensors_fail():
    """Whatever ends badly, the machine is left as it was found."""

    class Failing(Watch):
        def __exit__(self, *_):
            raise OSError

    switch = Modes()
    with pytest.raises(OSError), around(telemetry=Failing(), switch=switch):  # noqa: PT011
        pass
    assert switch.calls == ["back"]
