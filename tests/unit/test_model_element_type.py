from __future__ import annotations

import numpy as np
import onnx
import pytest

from autotuner.model import element_type


def test_every_element_type_of_onnx_has_a_name():
    """No element type that the installed onnx knows is missing from the table."""
    known = set(onnx.TensorProto.DataType.values()) - {onnx.TensorProto.UNDEFINED}
    assert known <= element_type.NAMES.keys()


def test_names_mean_the_types_onnx_means():
    """Our dtype of a number is the one onnx itself maps that number to."""
    for number, name in element_type.NAMES.items():
        if name == "string" or number not in onnx.TensorProto.DataType.values():
            continue
        assert element_type.dtype(name) == onnx.helper.tensor_dtype_to_np_dtype(number), name


@pytest.mark.parametrize(
    ("name", "rank"),
    [("bool", 0), ("uint8", 1), ("int4", 1), ("uint4", 1), ("bfloat16", 2), ("complex64", 3)],
)
def test_generality_orders_the_kinds_of_numbers(name, rank):
    """Bool, integer, float and complex follow one another, the narrow types included."""
    assert element_type.generality(element_type.dtype(name)) == rank


def test_what_holds_no_numbers_has_no_generality():
    """Text and raw bytes are not numbers of any kind."""
    assert element_type.generality(np.dtype("U3")) is None
    assert element_type.generality(np.dtype("V2")) is None
