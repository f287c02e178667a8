import json
from dataclasses import replace

import numpy as np
import pytest

from autotuner.backends.simulated import RecordedDevice, recording
from autotuner.backends.simulated.behaviour import LEVELS
from autotuner.backends.simulated.recording import Recorded, Recording, Times, quantiles
from autotuner.core.config import Config
from autotuner.core.encoding import encode
from autotuner.core.errors import InputError
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.outcome import Failed
from autotuner.core.request import Workload

OOM = Failed("oom", "too large")


def times(ms, **changed):
    """Return times around *ms*."""
    batch_ms = quantiles(ms * np.random.default_rng(0).uniform(0.9, 1.1, 500))
    usual = Times(batch_ms=batch_ms, correlation=0.1, load_s=0.5, first_inference_s=0.1)
    return replace(usual, **changed)


RECORDING = Recording(
    tool_version="0.1.0",
    created="2025-01-31T12:00:00+00:00",
    model="net",
    workload=Workload(model="net"),
    fingerprint=Fingerprint(device="a box", memory_gib=4, model_sha256="0"),
    entries=(
        Recorded(config=Config(), times=times(10.0, memory_mib=100.0)),
        Recorded(config=Config(batch_size=4), times=times(32.0)),
        Recorded(config=Config(batch_size=8), failed=OOM),
    ),
)
DEVICE = RecordedDevice(name="replay:net.json", recording=RECORDING)


def saved(path, *, found=RECORDING, **changed):
    """Write *found* to *path* with some of its fields changed, and return the path."""
    path.write_text(json.dumps({"schema": found.schema, **encode(found), **changed}))
    return path


def test_what_was_kept_is_read_again(tmp_path):
    """All of it."""
    assert recording.read(saved(tmp_path / "net.json")) == RECORDING


def test_a_recorded_configuration_behaves_as_it_did():
    """Its times, its memory, and what it took to load."""
    found = DEVICE.behaviour(Config())
    np.testing.assert_allclose(found.quantiles_ms(1), RECORDING.entries[0].times.batch_ms)
    assert (found.load_s, found.memory_mib, found.correlation) == (0.5, 100.0, 0.1)


def test_a_configuration_that_failed_fails_again():
    """With the same words."""
    assert DEVICE.behaviour(Config(batch_size=8)) == OOM


def test_a_configuration_that_was_not_recorded_is_unsupported():
    """Nothing is made up."""
    found = DEVICE.behaviour(Config(workers=2))
    assert (found.reason, "not recorded" in found.detail) == ("unsupported", True)


def test_a_smaller_batch_takes_the_time_of_the_next_larger_one_that_was_recorded():
    """Which errs on the safe side."""
    four = DEVICE.behaviour(Config(batch_size=4))
    np.testing.assert_array_equal(four.quantiles_ms(3), four.quantiles_ms(4))
    np.testing.assert_array_equal(four.quantiles_ms(1), DEVICE.behaviour(Config()).quantiles_ms(1))


def test_a_queue_delay_changes_no_batch():
    """It is a matter of when batches begin."""
    waiting = DEVICE.behaviour(Config(batch_size=4, max_queue_delay_ms=5.0))
    expected = DEVICE.behaviour(Config(batch_size=4)).quantiles_ms(4)
    np.testing.assert_array_equal(waiting.quantiles_ms(4), expected)


def test_the_memory_is_that_of_the_box():
    """Or without a limit when the recording does not tell."""
    unknown = replace(RECORDING, fingerprint=Fingerprint())
    assert DEVICE.memory_mib == 4096.0
    assert RecordedDevice(name="x", recording=unknown).memory_mib == float("inf")


def test_power_is_replayed_where_all_of_it_was_recorded():
    """Rails keep their names; what no rail tells is one of its own."""
    powered = times(10.0, power_w=9.0, rails_w={"GPU": 5.0})
    entries = (Recorded(config=Config(), times=powered),)
    device = RecordedDevice(name="x", recording=replace(RECORDING, entries=entries))
    rails = device.behaviour(Config()).rails
    assert {name: rail.busy_w for name, rail in rails.items()} == {"GPU": 5.0, "SYSTEM": 4.0}
    assert device.measures_power
    assert not DEVICE.measures_power


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "no schema number"),
        (b'{"schema": "1"}', "no schema number"),
        (b'{"schema": 2}', "newer"),
        (b'{"schema": 1}', "missing"),
    ],
)
def test_a_file_that_is_no_recording_is_refused(tmp_path, content, complaint):
    """The message names the file and says what to do."""
    path = tmp_path / "spoiled.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=complaint) as caught:
        recording.read(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    """So is a folder."""
    with pytest.raises(InputError, match=r"no recording .*absent\.json"):
        recording.read(tmp_path / "absent.json")
    with pytest.raises(InputError, match="directory"):
        recording.read(tmp_path)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (Recorded(config=Config()), "neither times nor a reason"),
        (Recorded(config=Config(), times=times(10.0, batch_ms=(1.0, 2.0))), "quantiles"),
        (
            Recorded(
                config=Config(), times=times(10.0, batch_ms=(9.0, *[1.0] * (len(LEVELS) - 1)))
            ),
            "quantiles",
        ),
        (Recorded(config=Config(), times=times(-10.0)), "quantiles"),
        (Recorded(config=Config(), times=times(10.0, correlation=1.0)), "correlation"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(tmp_path, entry, complaint):
    """Damage is told when the file is read, not in the middle of a search."""
    entries = (*RECORDING.entries, entry)
    path = saved(tmp_path / "net.json", found=replace(RECORDING, entries=entries))
    with pytest.raises(InputError, match=complaint):
        recording.read(path)


def test_a_recording_without_a_measurement_is_refused(tmp_path):
    """There would be nothing to replay."""
    failed = replace(RECORDING, entries=RECORDING.entries[2:])
    with pytest.raises(InputError, match="no configuration that was measured"):
        recording.read(saved(tmp_path / "net.json", found=failed))


def test_other_levels_are_another_format(tmp_path):
    """Quantiles are only known at levels that both sides agree on."""
    with pytest.raises(InputError, match="not those of this version"):
        recording.read(saved(tmp_path / "net.json", levels=[50.0]))
