from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from autotuner.core.errors import ModelError
from autotuner.model.preprocess import Preprocess, parse

ORANGE = (255, 128, 0)


def sample(text="", size=(4, 6), color=ORANGE):
    """Return a one-coloured image of *size*, height first, prepared as *text* says."""
    return parse(text).apply(Image.new("RGB", size[::-1], color))


def test_pixels_become_shares_of_one():
    """Without a word an image becomes float32, channels first, 0 to 1."""
    x = sample()
    assert (x.shape, x.dtype) == ((3, 4, 6), np.float32)
    assert x[:, 0, 0] == pytest.approx([1, 128 / 255, 0])


def test_mean_and_deviation_are_those_of_scaled_pixels():
    """One number serves every channel, or each has its own."""
    assert sample("mean=0.5,std=0.5")[:, 0, 0] == pytest.approx([1, 0.00392, -1], abs=1e-4)
    x = sample("mean=1:0.5:0,std=1:2:4,scale=1")
    assert x[:, 0, 0] == pytest.approx([254, 63.75, 0])


def test_layout_and_order_of_colours():
    """Channels last, blue first, or one channel of gray."""
    assert sample("layout=nhwc").shape == (4, 6, 3)
    assert sample("color=bgr")[:, 0, 0] == pytest.approx([0, 128 / 255, 1])
    assert sample("color=gray").shape == (1, 4, 6)


def test_plain_pixels_stay_bytes():
    """A model that takes uint8 gets it."""
    assert sample("scale=1,layout=nhwc").dtype == np.uint8


@pytest.mark.parametrize(
    ("resize", "columns"),
    [("stretch", [1, 1, 1]), ("crop", [1, 1, 1]), ("pad", [114 / 255, 1, 114 / 255])],
)
def test_sizes_are_height_times_width(resize, columns):
    """A tall image is stretched, cut, or set on gray ground."""
    x = sample(f"size=12x18,resize={resize}", size=(20, 10), color=(255, 255, 255))
    assert x.shape == (3, 12, 18)
    assert x[0, 6, [0, 9, 17]] == pytest.approx(columns)


def test_everything_can_be_said():
    """The text holds every step."""
    text = "size=320x256,resize=pad,color=bgr,scale=1/128,mean=1:2:3,std=4,layout=nhwc"
    assert parse(text) == Preprocess(
        size=(320, 256),
        resize="pad",
        color="bgr",
        scale=1 / 128,
        mean=(1, 2, 3),
        std=(4,),
        layout="nhwc",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("men=0.5", "did you mean mean"),
        ("mean=a", "'mean=a'"),
        ("mean=1:2", "2 numbers for 3 channels"),
        ("std=0", "0 is no divisor"),
        ("size=320", "HEIGHTxWIDTH"),
        ("size=0x4", "HEIGHTxWIDTH"),
        ("layout=hwc", "nchw, nhwc"),
        ("scale=1/0", "1/255"),
        ("color=gray,mean=1:2:3", "3 numbers for 1 channels"),
    ],
)
def test_what_cannot_be_read_is_named(text, message):
    """The message names the part and how to write it."""
    with pytest.raises(ModelError, match=message):
        parse(text)
