from __future__ import annotations

import numpy as np
import pytest

from autotuner.core.errors import InputError
from autotuner.model.shapes import InputTensor
from autotuner.serve.layout import BatchLayout, concatenated

TENSORS = (
    InputTensor(name="x", element_type="float32", sample_shape=(2, 3)),
    InputTensor(name="ids", element_type="int64", sample_shape=()),
    InputTensor(name="scale", element_type="float32", sample_shape=(1,), batched=False),
)
LAYOUT = BatchLayout(tensors=TENSORS, batch_size=4)


def feeds(count):
    """Return inputs that differ from sample to sample."""
    return {
        "x": np.arange(count * 6, dtype=np.float32).reshape(count, 2, 3),
        "ids": np.arange(count),
        "scale": np.array([0.5], np.float32),
    }


def test_what_is_written_in_one_process_is_read_in_the_other():
    """Both see the same memory by the same layout, and slots do not overlap."""
    memory = bytearray(LAYOUT.slot_bytes * 2)
    ours, theirs = ([LAYOUT.views(memoryview(memory), slot) for slot in range(2)] for _ in range(2))
    for slot in range(2):
        for name, array in feeds(4).items():
            ours[slot][name][...] = array + slot
    for slot in range(2):
        for name, array in feeds(4).items():
            np.testing.assert_array_equal(theirs[slot][name], array + slot)


def test_shapes_are_those_of_a_full_batch():
    """An input without a batch axis keeps its own."""
    assert LAYOUT.shapes == {"x": (4, 2, 3), "ids": (4,), "scale": (1,)}


def test_samples_are_counted_and_typed():
    """What NumPy can take over without loss of meaning is taken."""
    arrays, count = LAYOUT.samples({**feeds(7), "ids": list(range(7))})
    assert count == 7
    assert arrays["ids"].dtype == np.int64


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"x": np.zeros((4, 3, 2))}, "x should be"),
        ({"x": np.zeros((2, 2, 3))}, "different numbers"),
        ({"x": np.zeros((0, 2, 3)), "ids": []}, "x should be"),
        ({"scale": np.zeros(2)}, "scale should be"),
        ({"other": 1}, "The inputs are x, ids, scale"),
    ],
)
def test_what_does_not_fit_is_refused(change, why):
    """Naming the input."""
    with pytest.raises(InputError, match=why):
        LAYOUT.samples({**feeds(4), **change})


def test_parts_together_are_the_whole():
    """However many samples go together."""
    arrays, _ = LAYOUT.samples(feeds(5))
    parts = [LAYOUT.part(arrays, first, 1) for first in range(5)]
    for name, array in concatenated(parts, TENSORS).items():
        np.testing.assert_array_equal(array, arrays[name])


def test_strings_cannot_be_shared():
    """That is said before anything starts."""
    words = InputTensor(name="words", element_type="string", sample_shape=())
    with pytest.raises(InputError, match="words holds strings"):
        BatchLayout(tensors=(words,), batch_size=1)
