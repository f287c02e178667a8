"""The true class of every sample, from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from autotuner.core.errors import ModelError
from autotuner.core.wording import counted

Labels = np.ndarray[Any, np.dtype[np.int64]]


def load(path: Path, count: int) -> Labels:
    """Return the *count* labels in *path*: a .npy file, or text with one integer per line.

    Of a line with commas the last field counts, and a first line without a number is a heading.
    Raises ModelError naming the line that is no label, or when there are not *count* labels.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"Cannot read the labels {path}: {error.strerror}; check the path."
        ) from None
    labels = _array(path) if content.startswith(b"\x93NUMPY") else _lines(path, content)
    if labels.size and labels.min() < 0:
        raise ModelError(f"{path} holds the label {labels.min()}; classes count from 0.")
    if len(labels) != count:
        raise ModelError(
            f"{path} holds {counted(len(labels), 'label')} for {counted(count, 'sample')}; "
            "give one label for each sample, in the same order."
        )
    return labels


def _array(path: Path) -> Labels:
    try:
        labels: Labels = np.load(path, allow_pickle=False)
    except (ValueError, EOFError):
        raise ModelError(f"{path} is a damaged .npy file; save it again.") from None
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ModelError(
            f"{path} holds {labels.dtype} of shape {labels.shape}; "
            "save one integer for each sample."
        )
    return labels.astype(np.int64)


def _lines(path: Path, content: bytes) -> Labels:
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError:
        raise ModelError(
            f"{path} is neither text nor a .npy file; write one integer per line."
        ) from None
    fields = [line.rpartition(",")[2].strip() for line in lines]
    labels = []
    for number, field in enumerate(fields, 1):
        if field.removeprefix("-").isdecimal():
            labels.append(int(field))
        elif field and number > 1:
            raise ModelError(f"Line {number} of {path} is no integer but {field[:40]!r}; mend it.")
    return np.array(labels, np.int64)
