from __future__ import annotations

import pytest
from model_values import model_info


@pytest.mark.parametrize(
    ("shapes", "batch"),
    [
        ({"x": ("N", 3)}, "free"),
        ({"x": (None, 3)}, "free"),
        ({"x": None}, "free"),
        ({"size": (2,), "x": ("N", 3)}, "free"),
        ({"x": (4, 3), "size": (2,)}, 4),
        ({"scale": (), "x": (4, 3)}, 4),
        ({"scale": ()}, 1),
    ],
)
def test_batch_is_axis_0_of_the_inputs(shapes, batch):
    """The batch axis is free when any input leaves axis 0 free, else what the first fixes."""
    assert model_info(**shapes).batch == batch


def test_inputs_with_another_fixed_axis_0_are_constants_of_a_batch():
    """Only inputs whose axis 0 is the batch axis grow with the batch."""
    info = model_info(x=("N", 3), sizes=(2,), scale=())
    assert [info.batched(each) for each in info.inputs] == [True, False, False]


def test_a_fixed_batch_is_shared_by_the_inputs_that_have_it():
    """With a fixed batch, an input belongs to it when its axis 0 has the same size."""
    info = model_info(x=(4, 3), y=(4,), sizes=(2,))
    assert [info.batched(each) for each in info.inputs] == [True, True, False]


def test_free_axes_leave_out_the_batch_axis():
    """The batch axis is no free axis: it is searched, not asked for."""
    info = model_info(x=("N", 3, "H", None), table=(2, "rows"))
    assert [info.free_axes(each) for each in info.inputs] == [(2, 3), (1,)]


def test_a_pinned_batch_comes_with_the_way_to_free_it():
    """The user is told why the batch size is pinned and how to free it, and only then."""
    assert model_info(x=("N", 3)).batch_note is None
    note = model_info(x=(4, 3)).batch_note
    assert "batch_size is 4" in note
    assert "dynamic_axes" in note


def test_a_tensor_is_shown_with_open_axes():
    """Text shows the name, the type and the axes, unknown ones as question marks."""
    *_, named, unknown = model_info(x=("N", None, 3), y=None).inputs
    assert str(named) == "x: float32[N, ?, 3]"
    assert str(unknown) == "y: float32 of unknown rank"
