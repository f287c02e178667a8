from __future__ import annotations

from autotuner.host.sensors import Discovery, Missing, Reading, ReplaySensor, checkup


def test_a_look_reads_twice_and_closes(monkeypatch):
    """Some sensors compare two moments; none is left open."""
    monkeypatch.setattr(checkup.time, "sleep", lambda _seconds: None)
    rows = [[Reading(name="power.total_w", value=watts, unit="W")] for watts in (1.0, 2.0)]
    sensor = ReplaySensor(rows)
    shown, cost_s = checkup.look(Discovery(sensors=(sensor,), missing=()))
    assert shown["replay"][0].value == 2.0
    assert cost_s >= 0.0
    assert sensor.read()[0].value is None


def test_the_cost_is_told_for_the_usual_rate():
    """One millisecond ten times a second is a hundredth of a core."""
    assert checkup.cost(0.001).detail == "1.00 ms, 1.0 % of one core at 10 Hz"


def test_a_sensor_is_summed_up_and_what_it_lacks_has_a_reason():
    """CPUs and processes are not listed one by one; each reason stands once."""
    shown = [
        *(Reading(name=f"cpu{n}.clock_mhz", value=1.0, unit="MHz") for n in range(12)),
        Reading(name="temperature.cv0_c", value=None, unit="C", why="it sleeps"),
        Reading(name="temperature.cv1_c", value=None, unit="C", why="it sleeps"),
    ]
    (check,) = checkup.checks({"system": shown}, ())
    assert check.status == "ok"
    assert check.detail == "cpuN.clock_mhz; temperature.cv0_c is n/a: it sleeps"


def test_a_missing_sensor_has_a_remedy_or_is_just_absent():
    """What the machine does not have cannot be mended."""
    missing = [Missing(name="rapl", why="no", fix="sudo x"), Missing(name="jetson", why="no")]
    assert [(c.status, c.fix) for c in checkup.checks({}, missing)] == [
        ("attention", "sudo x"),
        ("absent", None),
    ]
