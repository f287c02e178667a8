from __future__ import annotations

import numpy as np
import pytest
from model_values import input_tensor, model_info

from autotuner.core.errors import ModelError
from autotuner.model.data import data_shapes, load
from autotuner.model.element_type import dtype


@pytest.fixture
def save(tmp_path):
    """Write arrays into an archive and return its path."""

    def write(*unnamed, **named):
        np.savez(tmp_path / "data.npz", *unnamed, **named)
        return tmp_path / "data.npz"

    return write


def test_axis_0_counts_samples(save):
    """The shape of one sample is the array's without axis 0, unless the input has no batch."""
    path = save(x=np.zeros((5, 3, 8)), sizes=np.zeros((2, 4)))
    info = model_info(x=("N", 3, None), sizes=(2, None))
    assert data_shapes(path, info) == {"x": (3, 8), "sizes": (2, 4)}


def test_a_wrong_number_of_axes_is_refused(save):
    """A single sample without the samples axis is not taken for many."""
    with pytest.raises(ModelError, match=r"x in .*data\.npz has 2 axes .* needs 3, samples first"):
        data_shapes(save(x=np.zeros((3, 8))), model_info(x=("N", 3, None)))


def test_an_undeclared_rank_still_needs_the_samples_axis(save):
    """Even without a declared rank axis 0 counts samples."""
    assert data_shapes(save(x=np.zeros((5, 3))), model_info(x=None)) == {"x": (3,)}
    with pytest.raises(ModelError, match="at least 1"):
        data_shapes(save(x=np.zeros(())), model_info(x=None))


def test_arrays_are_found_by_name_and_others_left_alone(save):
    """An archive may hold more than the inputs, such as labels."""
    arrays = load(save(x=np.zeros((2, 3), np.float32), labels=np.zeros(2)), [input_tensor()])
    assert arrays.keys() == {"x"}


def test_a_lone_array_needs_no_name(save, tmp_path):
    """One array without a name feeds a model with one input, in either kind of file."""
    x = np.ones((2, 3), np.float32)
    np.save(tmp_path / "data.npy", x)
    assert np.array_equal(load(save(x), [input_tensor()])["x"], x)
    assert np.array_equal(load(tmp_path / "data.npy", [input_tensor()])["x"], x)


def test_a_missing_input_is_named_with_the_nearest(save):
    """The message names the input, the file and the array that was perhaps meant."""
    with pytest.raises(
        ModelError, match=r"data\.npz has no array for .*'mask'; did you mean masks"
    ):
        load(
            save(x=np.zeros((2, 3)), masks=np.zeros((2, 3))),
            [input_tensor("x"), input_tensor("mask")],
        )


def test_another_shape_is_refused(save):
    """The samples must have the settled shape."""
    with pytest.raises(ModelError, match=r"x in .* has shape \(2, 4\).*\(3,\)"):
        load(save(x=np.zeros((2, 4), np.float32)), [input_tensor()])


def test_sample_counts_must_agree(save):
    """All batched inputs need the same number of samples; constants do not count."""
    tensors = [input_tensor("x"), input_tensor("y"), input_tensor("sizes", (4,), batched=False)]
    with pytest.raises(ModelError, match="x 2, y 3"):
        load(save(x=np.zeros((2, 3)), y=np.zeros((3, 3)), sizes=np.zeros(4)), tensors)


def test_no_samples_are_refused(save):
    """An empty file cannot be fed."""
    with pytest.raises(ModelError, match="no samples"):
        load(save(x=np.zeros((0, 3))), [input_tensor()])


@pytest.mark.parametrize(
    ("values", "element_type"),
    [
        (np.float64([0.1, np.nan, np.inf]), "float32"),
        (np.float32([0.1, -2.0, 3.0]), "float16"),
        (np.float32([0.1, -2.0, 3.0]), "bfloat16"),
        (np.uint8([0, 127, 255]), "float32"),
        (np.int64([0, 1, 255]), "uint8"),
        (np.int64([-8, 0, 7]), "int4"),
        (np.array([True, False, True]), "int64"),
        (np.float32([1, 2, 3]), "complex64"),
    ],
)
def test_casts_that_keep_the_values_are_made(save, values, element_type):
    """Wider types, integers that fit and floats that stay finite are cast."""
    x = load(save(x=values[None]), [input_tensor(element_type=element_type)])["x"]
    assert x.dtype == dtype(element_type)
    assert np.allclose(x[0].astype(complex), values, rtol=0.01, equal_nan=True)


@pytest.mark.parametrize(
    ("values", "element_type"),
    [
        (np.float64([1e39, 0, 0]), "float32"),
        (np.int64([256, 0, 0]), "uint8"),
        (np.int64([-1, 0, 0]), "uint64"),
        (np.int64([2**24 + 1, 0, 0]), "float32"),
        (np.int64([8, 0, 0]), "int4"),
        (np.float32([1, 2, 3]), "int64"),
        (np.int64([0, 1, 1]), "bool"),
        (np.array(["a", "b", "c"]), "float32"),
        (np.float32([1, 2, 3]), "string"),
    ],
)
def test_casts_that_change_values_are_refused(save, values, element_type):
    """The message names the tensor, the file and both types."""
    message = rf"x in .*data\.npz is {values.dtype}.*{element_type}"
    with pytest.raises(ModelError, match=message):
        load(save(x=values[None]), [input_tensor(element_type=element_type)])


def test_text_becomes_python_strings(save):
    """Text is saved by NumPy in fixed width and fed as Python strings."""
    x = load(save(x=np.array(["a", "bc"])), [input_tensor(shape=(), element_type="string")])["x"]
    assert x.tolist() == ["a", "bc"]
    assert x.dtype == object


def test_a_missing_data_file_is_named(tmp_path):
    """The message holds the path."""
    with pytest.raises(ModelError, match=r"no data file .*none\.npz"):
        load(tmp_path / "none.npz", [input_tensor()])


def test_a_folder_is_no_data_file(tmp_path):
    """A folder is called one."""
    with pytest.raises(ModelError, match="is a folder"):
        load(tmp_path, [input_tensor()])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_archive_is_refused(save, share):
    """A torn file is an error in one sentence, wherever it was torn."""
    path = save(x=np.ones((100, 3)))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ModelError, match=r"data\.npz.*save it again"):
        load(path, [input_tensor()])


def test_a_bit_flipped_in_an_archive_is_noticed(save):
    """Damaged values are not fed."""
    path = save(x=np.ones((1000, 3)))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ModelError, match="save it again"):
        load(path, [input_tensor()])


def test_pickled_objects_are_never_loaded(save):
    """Loading data must not run code from the file."""
    with pytest.raises(ModelError, match="plain arrays"):
        load(save(x=np.array([{}, []], dtype=object)), [input_tensor(shape=())])


def test_a_file_of_another_kind_is_refused(tmp_path):
    """Text is no data file."""
    path = tmp_path / "data.csv"
    path.write_text("1,2,3\n")
    with pytest.raises(ModelError, match=r"numpy\.savez"):
        load(path, [input_tensor()])
