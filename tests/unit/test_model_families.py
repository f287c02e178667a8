from __future__ import annotations

import pytest

from autotuner.inspecting import inspection
from autotuner.model import recipe, reference

# A published table of parameters and FLOPs, in millions, a multiply-add counted once.
PUBLISHED = {
    "densenet-121": (7.98, 2928.89),
    "mobilenet-v2": (3.50, 336.43),
    "resnet-50": (25.56, 4154.96),
    "shufflenet-v2": (2.28, 160.09),
    "squeezenet": (1.24, 377.80),
    "vgg-16": (138.36, 16063.36),
}
# What the usual implementations say of themselves: parameters and multiply-adds, in millions.
IMPLEMENTED = {
    "alexnet": (60.97, 655.0),
    "densenet-161": (28.68, 7728.0),
    "densenet-169": (14.15, 3360.0),
    "densenet-201": (20.01, 4291.0),
    "inception-v1": (7.00, 1430.0),
    "inception-v2": (11.21, 2020.0),
    "inception-v3": (23.83, 5713.0),
    "mnasnet": (4.38, 314.0),
    "mobilenet-v1": (4.23, 569.0),
    "resnet-101": (44.55, 7801.0),
    "resnet-152": (60.19, 11514.0),
    "resnet-18": (11.69, 1814.0),
    "resnet-34": (21.80, 3664.0),
    "squeezenet-1.0": (1.25, 819.0),
    "vgg-11": (132.86, 7609.0),
    "vgg-13": (133.05, 11308.0),
    "vgg-19": (143.67, 19632.0),
    "xception": (22.86, 8370.0),
}


@pytest.mark.parametrize(("name", "published"), PUBLISHED.items())
def test_a_family_has_the_published_parameters_and_flops(name, published):
    """Parameters within 1 %, FLOPs within 5 %."""
    found = inspection(name)
    assert found.parameters / 1e6 == pytest.approx(published[0], rel=0.01)
    assert found.flops / 1e6 == pytest.approx(published[1], rel=0.05)


@pytest.mark.parametrize(("name", "implemented"), IMPLEMENTED.items())
def test_a_family_has_the_usual_parameters_and_multiply_adds(name, implemented):
    """As the implementations that everybody compares with count them."""
    found = inspection(name)
    assert found.parameters / 1e6 == pytest.approx(implemented[0], rel=0.01)
    assert found.multiply_adds / 1e6 == pytest.approx(implemented[1], rel=0.02)


@pytest.mark.parametrize("name", reference.NAMES)
def test_every_layer_is_counted_and_ends_in_the_classes(name):
    """Every shape and every operator's work is known, from the input to 1000 probabilities."""
    found = inspection(name)
    assert found.uncounted == ()
    assert None not in [layer.output_shape for layer in found.layers]
    assert found.layers[-1].output_shape[:2] == (1, 1000)
    assert found.peak_activation_bytes > 0


def test_a_skeleton_has_shapes_and_no_values():
    """It is enough to count by, in kilobytes where the weights take half a gigabyte."""
    skeleton = recipe.skeleton("vgg-16")
    assert skeleton.ByteSize() < 20_000
    assert inspection("vgg-16").weight_bytes > 500_000_000


@pytest.mark.parametrize("name", ["squeezenet-1.0", "mobilenet-v2"])
def test_a_skeleton_is_the_model_without_values(name):
    """The same nodes and weights of the same shapes as the model that is run."""
    skeleton, model = recipe.skeleton(name).graph, recipe.make(name).graph
    assert list(skeleton.node) == list(model.node)
    assert {w.name: list(w.dims) for w in skeleton.initializer} == {
        w.name: list(w.dims) for w in model.initializer
    }
