from __future__ import annotations

import contextlib

import pytest

from autotuner.backends.engine_cache import EngineCache, digest, written_whole

PARTS = {"model": "a", "precision": "fp16", "version": "10.3", "gpu": "Orin"}


@pytest.fixture
def cache(tmp_path):
    """Return a cache that keeps its engines in a folder of the test."""
    return EngineCache(tmp_path)


@pytest.fixture
def never():
    """Return a build that must not be made."""

    def build():
        raise AssertionError("the engine was there")

    return build


def test_an_engine_is_built_once(cache, never):
    """The second time it comes from the disk."""
    assert cache.get(PARTS, lambda: b"engine") == b"engine"
    assert cache.get(PARTS, never) == b"engine"


@pytest.mark.parametrize("part", PARTS)
def test_whatever_differs_is_another_engine(cache, never, part):
    """One of another version, GPU, model or precision is neither taken nor replaced."""
    cache.get(PARTS, lambda: b"engine")
    assert cache.get(PARTS | {part: "another"}, lambda: b"other") == b"other"
    assert cache.get(PARTS, never) == b"engine"


@pytest.mark.parametrize("left", [b"", b"short", None])
def test_an_engine_that_is_not_whole_is_built_again(cache, tmp_path, left):
    """Whether nothing, a piece or all but the last byte of it is there."""
    cache.get(PARTS, lambda: b"engine")
    (file,) = tmp_path.glob("*.engine")
    file.write_bytes(file.read_bytes()[:-1] if left is None else left)
    assert cache.get(PARTS, lambda: b"again") == b"again"


def test_a_build_that_fails_leaves_nothing(cache, tmp_path):
    """The next one starts afresh."""

    def build():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cache.get(PARTS, build)
    assert list(tmp_path.glob("*.engine")) == []
    assert cache.get(PARTS, lambda: b"engine") == b"engine"


def test_weights_beside_a_graph_are_part_of_its_digest(tmp_path):
    """Those that it names, and no other file of the folder."""
    model = tmp_path / "model.onnx"
    model.write_bytes(b"graph, weights in model.data")
    (tmp_path / "model.data").write_bytes(b"weights")
    before = digest(model)
    (tmp_path / "notes.txt").write_bytes(b"unrelated")
    assert digest(model) == before
    (tmp_path / "model.data").write_bytes(b"WEIGHTS")
    assert digest(model) != before


def test_a_folder_that_was_not_written_whole_is_begun_again(tmp_path):
    """What is left of it could be half an engine; one that was written whole stays."""
    folder = tmp_path / "engines" / "one"
    with contextlib.suppress(KeyboardInterrupt), written_whole(folder):
        (folder / "half.engine").write_bytes(b"eng")
        raise KeyboardInterrupt
    with written_whole(folder):
        assert list(folder.iterdir()) == []
        (folder / "whole.engine").write_bytes(b"engine")
    with written_whole(folder):
        assert (folder / "whole.engine").read_bytes() == b"engine"
