from __future__ import annotations

import numpy as np

from autotuner.characterize.parts import _usual


def test_integers_between_two_runtimes_have_the_usual_type():
    """ONNX Runtime gives C's ``long long``, which equals NumPy's own and is not taken for it."""
    found = _usual(np.array([1, 2], np.longlong))
    assert found.dtype.char == np.dtype(np.int64).char
    np.testing.assert_array_equal(found, [1, 2])
