from __future__ import annotations

import numpy as np
import pytest

from autotuner.core.errors import ModelError
from autotuner.model.labels import load


@pytest.mark.parametrize(
    "text",
    [
        "3\n0\n7\n",
        "3\n0\n7",
        "file,label\na.png,3\nb.png,0\nc.png,7\n",
        " 3 \n\n0\n7\n\n",
        "3\r\n0\r\n7",
    ],
)
def test_one_integer_per_line(tmp_path, text):
    """Text with or without heading, other columns, empty lines and the end of the last line."""
    path = tmp_path / "labels.txt"
    path.write_bytes(text.encode())
    assert load(path, 3).tolist() == [3, 0, 7]


def test_a_numpy_array(tmp_path):
    """A .npy file is known by its content."""
    path = tmp_path / "labels.bin"
    with path.open("wb") as file:
        np.save(file, np.uint8([1, 2]))
    assert load(path, 2).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1\ncat\n3\n", "Line 2 of .*'cat'"),
        (b"1\n2\n", "2 labels for 3 samples"),
        (b"1\n2\n-3\n", "the label -3"),
        (b"\xff\xfe\x00", "neither text nor"),
        (b"\x93NUMPY\x01", "damaged .npy"),
    ],
)
def test_what_is_no_label_is_named(tmp_path, content, message):
    """The file and the line are in the message."""
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message):
        load(path, 3)


def test_an_array_of_something_else_is_refused(tmp_path):
    """Class scores are no labels."""
    path = tmp_path / "labels.npy"
    np.save(path, np.zeros((3, 10)))
    with pytest.raises(ModelError, match="float64 of shape"):
        load(path, 3)


def test_a_missing_file_is_named(tmp_path):
    """The path is in the message."""
    with pytest.raises(ModelError, match=r"none\.txt"):
        load(tmp_path / "none.txt", 3)
