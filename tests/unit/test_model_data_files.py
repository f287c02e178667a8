from __future__ import annotations

import numpy as np
import pytest
from model_values import input_tensor, model_info
from PIL import Image

from autotuner.core.errors import ModelError
from autotuner.model import images
from autotuner.model.data import data_shapes, load
from autotuner.model.data_files import files
from autotuner.model.preprocess import parse

TENSORS = (input_tensor(shape=(2, 3)),)


@pytest.fixture
def folder(tmp_path):
    """Make a folder for data."""
    place = tmp_path / "data"
    place.mkdir()
    return place


def draw(path, size=(4, 6), level=255):
    """Write a gray image of *size*, height first."""
    Image.new("RGB", size[::-1], (level,) * 3).save(path)


def test_the_files_of_a_folder_follow_each_other(folder):
    """Samples come in the order of the names, several or one to a file."""
    np.save(folder / "b.npy", np.full((2, 2, 3), 2, np.float32))
    np.savez(folder / "a.npz", x=np.full((2, 3), 1, np.float32))
    (folder / "notes.txt").write_text("no data")
    assert load(folder, TENSORS)["x"][:, 0, 0].tolist() == [1, 2, 2]
    assert data_shapes(folder, model_info(x=("N", None, None))) == {"x": (2, 3)}
    assert [file.name for file in files(folder)] == ["a.npz", "b.npy"]


def test_an_input_without_a_batch_axis_is_taken_once(folder):
    """What is the same for every batch need not be repeated; the first file counts."""
    scale = input_tensor("scale", (1,), batched=False)
    for name in "ab":
        np.savez(folder / name, x=np.zeros((2, 3), np.float32), scale=np.float32([1]))
    arrays = load(folder, (*TENSORS, scale))
    assert (arrays["x"].shape, arrays["scale"].shape) == ((2, 2, 3), (1,))


def test_a_file_of_another_shape_is_named(folder):
    """Of a thousand files the one that is wrong is found."""
    np.save(folder / "a.npy", np.zeros((2, 3), np.float32))
    np.save(folder / "b.npy", np.zeros((2, 4), np.float32))
    with pytest.raises(ModelError, match=r"b\.npy has samples of shape \(2, 4\)"):
        load(folder, TENSORS)


def test_images_become_samples(folder):
    """A folder of images feeds a model with one input."""
    for level in (0, 255):
        draw(folder / f"{level}.png", level=level)
    tensor = input_tensor(shape=(3, 2, 2))
    assert load(folder, [tensor], parse("size=2x2"))["x"].max((1, 2, 3)).tolist() == [0, 1]
    info = model_info(x=("N", 3, None, None))
    assert data_shapes(folder, info, parse("size=2x2")) == {"x": (3, 2, 2)}
    assert data_shapes(folder, info) == {"x": (3, 4, 6)}


def test_images_of_two_sizes_need_one(folder):
    """The message says which file, and how to give a size."""
    draw(folder / "a.png")
    draw(folder / "b.png", size=(5, 6))
    with pytest.raises(ModelError, match=r"b\.png .*size=HEIGHTxWIDTH"):
        load(folder, [input_tensor(shape=(3, 4, 6))])


def test_a_damaged_image_is_named(folder):
    """Half a picture is none."""
    draw(folder / "a.png")
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes()[:40])
    with pytest.raises(ModelError, match=r"b\.png is damaged"):
        load(folder, [input_tensor(shape=(3, 4, 6))])


def test_too_many_images_are_refused_before_memory_ends(folder, monkeypatch):
    """The message says how many fit."""
    for number in range(3):
        draw(folder / f"{number}.png")
    monkeypatch.setattr(images, "_MOST_BYTES", 2 * 3 * 4 * 6 * 4)
    with pytest.raises(ModelError, match="leave at most 2"):
        load(folder, [input_tensor(shape=(3, 4, 6))])


def test_mixed_and_empty_folders_are_refused(folder):
    """One kind of data, and some of it."""
    with pytest.raises(ModelError, match=r"without \.npz, \.npy or image"):
        files(folder)
    draw(folder / "a.png")
    np.save(folder / "b.npy", np.zeros((2, 3)))
    with pytest.raises(ModelError, match="both arrays and images"):
        files(folder)


def test_preprocessing_is_for_images(folder):
    """Arrays are taken as they are, so a step that would be lost is refused."""
    np.save(folder / "a.npy", np.zeros((2, 3), np.float32))
    with pytest.raises(ModelError, match="--preprocess is for images"):
        load(folder, TENSORS, parse("mean=0.5"))
