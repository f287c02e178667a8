from __future__ import annotations

from autotuner.model.nearest import nearest


def test_the_nearest_names_are_suggested():
    """A misspelt name is answered by those that resemble it."""
    assert nearest("resnet50", ["resnet-50", "vgg-19"]) == "did you mean resnet-50?"


def test_all_names_are_listed_when_none_is_near():
    """A name unlike any other is answered by the whole list, sorted."""
    assert nearest("zzz", ["b", "a"]) == "known names: a, b."
