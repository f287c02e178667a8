from __future__ import annotations

import sys

import pytest

from autotuner.core.errors import InputError
from autotuner.model.metric import Metric, load


@pytest.fixture
def module(tmp_path):
    """Write a module of the user's into a folder, and forget it afterwards."""

    def write(text, name="users_own_metric"):
        (tmp_path / f"{name}.py").write_text(text)
        return tmp_path

    yield write
    sys.modules.pop("users_own_metric", None)


def test_a_function_is_found_in_the_folder(module):
    """Modules beside the user need not be installed, and leave no trace in the path."""
    folder = module("def score(reference, candidate):\n    return len(reference) / 4\n")
    metric = load("users_own_metric:score", folder)
    assert metric([{}], [{}]) == 0.25
    assert str(folder) not in sys.path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("score", "module:function"),
        ("no_such_module_here:score", "There is no module 'no_such_module_here'"),
        ("users_own_metric:other", "has no function 'other'"),
        ("users_own_metric:number", "has no function 'number'"),
    ],
)
def test_what_cannot_be_found_is_named(module, text, message):
    """Each mistake has its own message."""
    with pytest.raises(InputError, match=message):
        load(text, module("number = 1\n"))


def test_a_module_that_does_not_load_is_told_with_its_error(module):
    """The user's own mistake is not ours."""
    with pytest.raises(InputError, match="ZeroDivisionError"):
        load("users_own_metric:score", module("1 / 0\n"))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda _r, _c: 1 / 0, "ZeroDivisionError"),
        (lambda _r, _c: "good", "ValueError"),
        (lambda _r, _c: float("nan"), "returned NaN"),
        (lambda _r: 1, "TypeError"),
    ],
)
def test_a_function_that_gives_no_number_is_named(function, message):
    """What it raises or returns is said, and what it should."""
    with pytest.raises(InputError, match=rf"mine:f.*{message}"):
        Metric("mine:f", function)([], [])
