from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from model_values import input_tensor

from autotuner.core.errors import ModelError
from autotuner.model import held_out
from autotuner.model.calibration import Calibration, outside, ranges
from autotuner.model.inputs import InputSpec


@pytest.fixture
def calibration(tmp_path):
    """Write samples of x, and return a calibration with them."""

    def make(x, **fields):
        path = tmp_path / "data.npz"
        np.savez(path, x=np.asarray(x, np.float32))
        return Calibration(inputs=InputSpec(tensors=(input_tensor(),), data_path=path), **fields)

    return make


@pytest.mark.parametrize("count", [10, 37, 100])
def test_a_fifth_is_held_out(count):
    """The parts are disjoint, together everything, the same every time, and drawn from all over."""
    learn, judge = (held_out.samples(count, part) for part in ("calibration", "held-out"))
    assert len(judge) == round(count / 5)
    assert sorted([*learn, *judge]) == list(range(count)) == list(held_out.samples(count, "all"))
    assert np.array_equal(judge, held_out.samples(count, "held-out"))
    assert judge.min() < count / 2 < judge.max()


def test_the_parts_are_those_of_the_data(calibration):
    """What is judged by was never calibrated with."""
    x = np.arange(60).reshape(20, 3)
    made = calibration(x)
    seen = [made.samples().arrays["x"], made.held_out().arrays["x"]]
    assert [len(part) for part in seen] == [16, 4]
    assert np.array_equal(np.sort(np.concatenate(seen), axis=0), x)


def test_too_few_samples_are_refused_with_the_number_needed(calibration):
    """The message says how many there are and how many it takes."""
    with pytest.raises(ModelError, match=r"holds 9 samples.*at least 10"):
        calibration(np.zeros((9, 3))).samples()


def test_nan_in_the_data_is_refused_by_name(calibration):
    """A range of NaN is none."""
    x = np.zeros((20, 3))
    x[:, 1] = np.nan
    with pytest.raises(ModelError, match=r"x in .*data\.npz holds NaN"):
        calibration(x).samples()


def test_random_inputs_are_no_real_data():
    """They calibrate for speed, and the two parts differ as those of real data do."""
    made = Calibration(inputs=InputSpec(tensors=(input_tensor(),)))
    assert not made.real
    assert made.source == "random inputs"
    assert not np.isin(made.held_out().arrays["x"], made.samples().arrays["x"]).any()


def test_the_digest_tells_what_ranges_depend_on(calibration, tmp_path):
    """Other samples, shapes or methods make another digest; another path does not."""
    made = calibration(np.zeros((20, 3)))
    same = replace(made.inputs, data_path=made.inputs.data_path.rename(tmp_path / "moved.npz"))
    digests = [replace(made, inputs=same).digest()]
    digests.append(replace(made, inputs=same, method="entropy").digest())
    digests.append(
        replace(made, inputs=replace(same, tensors=(input_tensor(shape=(4,)),))).digest()
    )
    assert digests[0] == calibration(np.zeros((20, 3))).digest()
    digests.append(calibration(np.ones((20, 3))).digest())
    digests.append(Calibration(inputs=InputSpec(tensors=(input_tensor(),))).digest())
    assert len(set(digests)) == 5


def test_inputs_that_leave_the_calibrated_range_are_named(calibration):
    """Pixels from 0 to 255 are no pixels from 0 to 1."""
    known = ranges(calibration(np.linspace(0, 1, 60).reshape(20, 3)).samples())
    assert outside(known, {"x": (0.0, 1.0)}) is None
    assert outside(known, {"other": (0.0, 9.0)}) is None
    message = outside(known, {"x": (0.0, 255.0)})
    assert message is not None
    assert "input x lies within 0 to 255" in message
