from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from model_values import input_tensor

from autotuner.core.errors import ModelError
from autotuner.model.element_type import NAMES, dtype
from autotuner.model.inputs import RANDOM_SAMPLES, InputSpec, random_inputs


@pytest.mark.parametrize("element_type", sorted(NAMES.values()))
def test_every_element_type_can_be_drawn(element_type):
    """Random inputs have the type and shape that the model takes."""
    x = random_inputs((input_tensor(element_type=element_type, shape=(3, 4)),)).batch(5)["x"]
    assert x.dtype == dtype(element_type)
    assert x.shape == (5, 3, 4)
    assert x.flags.c_contiguous


def test_random_floats_are_standard_normal():
    """Floats have mean 0 and variance 1."""
    x = random_inputs((input_tensor(shape=(10_000,)),)).batch(RANDOM_SAMPLES)["x"]
    assert abs(x.mean()) < 0.02
    assert abs(x.std() - 1) < 0.02


def test_random_integers_are_valid_for_masks_and_vocabularies():
    """Integers are 0 and 1."""
    x = random_inputs((input_tensor(shape=(100,), element_type="int64"),)).batch(1)["x"]
    assert set(x.ravel()) == {0, 1}


def test_strings_are_python_strings():
    """Runtimes want text as Python objects."""
    x = random_inputs((input_tensor(shape=(), element_type="string"),)).batch(2)["x"]
    assert all(isinstance(word, str) for word in x)


def test_the_same_seed_makes_the_same_inputs():
    """Every worker can make what the others make."""
    first, second, other = (
        random_inputs((input_tensor(),), seed).batch(4)["x"] for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_batches_cycle_over_the_samples():
    """Batch after batch goes through the samples and starts again at the end."""
    inputs = random_inputs((input_tensor(),), count=5)
    samples = inputs.batch(5)["x"]
    assert inputs.count == 5
    assert np.array_equal(inputs.batch(3, index=1)["x"], samples[[3, 4, 0]])
    assert np.array_equal(inputs.batch(7)["x"], samples[[0, 1, 2, 3, 4, 0, 1]])


def test_a_constant_of_a_batch_does_not_grow():
    """An input without the batch axis is the same for every batch."""
    inputs = random_inputs((input_tensor("x"), input_tensor("scale", (), batched=False)))
    assert inputs.batch(4)["x"].shape == (4, 3)
    assert inputs.batch(4)["scale"].shape == ()
    assert inputs.sample_shapes == {"x": (3,), "scale": ()}


def test_a_model_of_constants_alone_has_one_sample():
    """Without a batched input there is nothing to cycle over."""
    assert random_inputs((input_tensor("scale", (2,), batched=False),)).count == 1


def test_a_spec_survives_pickling():
    """Another process makes the same inputs from the spec it is sent."""
    spec = InputSpec(tensors=(input_tensor(),), seed=3)
    copy = pickle.loads(pickle.dumps(spec))
    assert np.array_equal(copy.load().batch(2)["x"], spec.load().batch(2)["x"])


def test_a_spec_feeds_the_data_of_its_file(tmp_path):
    """With a data file the samples are the file's."""
    samples = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.savez(tmp_path / "data.npz", x=samples)
    inputs = InputSpec(tensors=(input_tensor(),), data_path=tmp_path / "data.npz").load()
    assert inputs.count == 2
    assert np.array_equal(inputs.batch(2)["x"], samples)


def test_inputs_larger_than_memory_are_refused():
    """A shape beyond all memory is an error in one sentence."""
    with pytest.raises(ModelError, match="do not fit into memory"):
        InputSpec(tensors=(input_tensor(shape=(2**20, 2**25)),)).load()


def test_feeding_needs_no_onnx():
    """A worker process must not pay for importing onnx."""
    code = "import sys, autotuner.model.inputs; print(*sys.modules)"
    names = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert "numpy" in names
    assert not {"onnx", "onnxruntime"} & set(names)
