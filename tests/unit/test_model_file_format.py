from __future__ import annotations

import io
import pickle

import numpy as np
import pytest

from autotuner.model.file_format import guess


def numpy_archive():
    """Return the bytes of a .npz file."""
    content = io.BytesIO()
    np.savez(content, x=np.zeros(1))
    return content.getvalue()


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (pickle.dumps({"weight": 1}, protocol=2), "pickle"),
        (b"PK\x03\x04" + b"\0" * 26 + b"archive/data.pkl", "PyTorch"),
        (b"PK\x03\x04" + b"\0" * 26 + b"notes", "zip"),
        (b"\x1c\0\0\0TFL3\0\0", "TensorFlow Lite"),
        (b"\x1c\0\0\0ORTM\0\0", "ORT-format"),
        (b"\x89HDF\r\n\x1a\n\0", "HDF5"),
        (b"\x40\0\0\0\0\0\0\0" + b'{"weight":', "safetensors"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"<?xml version='1.0'?><net>", "text"),
        ("Größe\n".encode(), "text"),
        (("x" + "ö" * 8)[:4].encode()[:-1], "text"),
        (numpy_archive(), "NumPy archive"),
    ],
)
def test_foreign_files_are_recognised(head, name):
    """A file that is no ONNX is called what it probably is."""
    assert name in guess(head).name


def test_an_onnx_file_may_pass(tiny_model):
    """An ONNX file resembles none of the foreign formats."""
    assert guess(tiny_model.read_bytes()[:4096]) is None


def test_noise_may_pass():
    """Bytes without a known mark are left to the parser."""
    assert guess(bytes(range(256))) is None
