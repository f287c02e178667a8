"""Element types of tensors: ONNX's numbers, our names, NumPy's dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

# Numbered as in TensorProto.DataType; the names are those of NumPy and ml_dtypes.
NAMES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
    17: "float8_e4m3fn",
    18: "float8_e4m3fnuz",
    19: "float8_e5m2",
    20: "float8_e5m2fnuz",
    21: "uint4",
    22: "int4",
    23: "float4_e2m1fn",
    24: "float8_e8m0fnu",
    25: "uint2",
    26: "int2",
    27: "float6_e2m3fn",
    28: "float6_e3m2fn",
}


def dtype(name: str) -> np.dtype[Any]:
    """Return the NumPy dtype of the element type *name*; strings are Python objects."""
    if name == "string":
        return np.dtype(object)
    try:
        return np.dtype(name)
    except TypeError:
        # Only the types that NumPy lacks are worth the import.
        import ml_dtypes  # noqa: PLC0415

        narrow: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
        return narrow


def generality(kind: np.dtype[Any]) -> int | None:
    """Rank bool 0, integers 1, floats 2, complex 3; None for what holds no numbers.

    A value may move to an equal or higher rank without changing what it means.
    """
    if kind.kind == "V":  # ml_dtypes declares its narrow types as void
        narrow = kind.name.lstrip("u")
        return 1 if narrow.startswith("int") else 2 if "float" in narrow else None
    return {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}.get(kind.kind)
