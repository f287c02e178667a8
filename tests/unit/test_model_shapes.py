from __future__ import annotations

from dataclasses import replace

import pytest
from model_values import model_info

from autotuner.core.errors import ModelError
from autotuner.model.shapes import InputTensor, parse, resolve

IMAGE = model_info(x=("N", 3, "H", "W"))
TOKENS = model_info(ids=("N", "T"), mask=("N", "T"))


def sample_shapes(info, shapes=None, data_shapes=None):
    """Resolve and keep the shapes by name."""
    return {t.name: t.sample_shape for t in resolve(info, shapes, data_shapes)}


def test_fixed_axes_need_no_help():
    """A model that fixes all but the batch axis is settled by itself."""
    assert resolve(model_info(x=("N", 3, 8, 8))) == (
        InputTensor(name="x", element_type="float32", sample_shape=(3, 8, 8), batched=True),
    )


def test_a_constant_of_a_batch_keeps_all_its_axes():
    """An input without the batch axis has its whole shape as its sample."""
    *_, sizes = resolve(model_info(x=("N", 3), sizes=(2, 4)))
    assert sizes.sample_shape == (2, 4)
    assert not sizes.batched


@pytest.mark.parametrize("shape", [(3, 320, 640), (1, 3, 320, 640)])
def test_a_shape_may_come_with_or_without_the_batch_axis(shape):
    """A full shape is accepted as that of one sample."""
    assert sample_shapes(IMAGE, {"x": shape}) == {"x": (3, 320, 640)}


def test_a_fixed_batch_axis_may_be_spelt_out():
    """A full shape of a model with a fixed batch has that batch in front."""
    assert sample_shapes(model_info(x=(4, "T")), {"x": (4, 7)}) == {"x": (7,)}


def test_an_undeclared_rank_takes_the_shape_as_it_is():
    """Without a declared rank the shape is that of one sample."""
    assert sample_shapes(model_info(x=None), {"x": (3, 5)}) == {"x": (3, 5)}


def test_a_scalar_per_sample_needs_no_shape():
    """An input with nothing but the batch axis has samples of no axes."""
    assert sample_shapes(model_info(x=("N",))) == {"x": ()}


def test_data_settles_free_axes():
    """The data shows what nobody needs to type."""
    assert sample_shapes(IMAGE, data_shapes={"x": (3, 32, 32)}) == {"x": (3, 32, 32)}


def test_a_symbol_has_one_size():
    """An axis that shares its symbol with a stated one needs no statement of its own."""
    assert sample_shapes(TOKENS, {"ids": (128,)}) == {"ids": (128,), "mask": (128,)}


def test_a_symbol_with_two_sizes_is_refused():
    """Stated shapes must agree on the symbols they share."""
    with pytest.raises(ModelError, match=r"axis T of m is 128 .* and 64 in mask"):
        resolve(TOKENS, {"ids": (128,), "mask": (64,)})


def test_the_exporters_image_size_is_the_last_resort():
    """A noted image size fills free axes that nobody stated, and no others."""
    hinted = replace(IMAGE, image_size=(640, 480))
    assert sample_shapes(hinted) == {"x": (3, 640, 480)}
    assert sample_shapes(hinted, {"x": (3, 32, 32)}) == {"x": (3, 32, 32)}


@pytest.mark.parametrize(
    ("info", "option"),
    [
        (IMAGE, r"--shape x=3x\?x\? "),
        (TOKENS, r"--shape ids=\? --shape mask=\? "),
        (model_info(x=None), r"--shape x=\? "),
        (model_info(x=("N", 4), table=(2, None)), r"--shape table=2x\? "),
    ],
)
def test_open_axes_are_asked_for_by_name(info, option):
    """The message holds the very option to type, open axes shown as question marks."""
    with pytest.raises(ModelError, match=option):
        resolve(info)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((4, 320, 320), "fixed at 3, not 4"),
        ((3, 320), "2 axes, not 3"),
        ((1, 1, 3, 320, 320), "5 axes, not 3"),
        ((8, 3, 320, 320), "axis 0 is the batch"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(shape, words):
    """The message names the conflict and the shape that would fit."""
    with pytest.raises(ModelError, match=rf"{words}.*3x\?x\?"):
        resolve(IMAGE, {"x": shape})


def test_data_that_contradicts_the_option_is_refused():
    """The option and the data must agree."""
    with pytest.raises(ModelError, match=r"x=3x32x32 but the data is 3x64x64"):
        resolve(IMAGE, {"x": (3, 32, 32)}, {"x": (3, 64, 64)})


def test_an_unknown_input_is_refused_with_the_nearest():
    """A misspelt input is answered by its neighbour."""
    with pytest.raises(ModelError, match=r"no input 'masks'; did you mean mask\?"):
        resolve(TOKENS, {"masks": (1,)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x=3x320x320", ("x", (3, 320, 320))),
        ("3X320X320", ("x", (3, 320, 320))),
        ("7", ("x", (7,))),
        ("a=b=7", ("a=b", (7,))),
    ],
)
def test_shapes_are_read(text, expected):
    """The name may be left out for a model with one input, and may hold an equals sign."""
    assert parse(text, IMAGE) == expected


@pytest.mark.parametrize("text", ["", "x=", "=3", "x=3x", "x=3x0", "x=-1", "x=3,4", "x=3x?x?"])
def test_text_that_is_no_shape_is_refused(text):
    """The message shows how a shape is written."""
    with pytest.raises(ModelError, match="NAME=3x320x320"):
        parse(text, IMAGE)


def test_a_shape_without_a_name_must_be_unambiguous():
    """With several inputs the name is asked for."""
    with pytest.raises(ModelError, match=r"2 inputs \(ids, mask\).*--shape ids=128"):
        parse("128", TOKENS)
