from __future__ import annotations

import pytest

from autotuner.search import blas


def test_one_thread_inside_and_the_former_number_after():
    """The body has one thread of every OpenBLAS; leaving it, even by an error, undoes that."""
    controls = blas._controls()
    before = [get() for get, _ in controls]

    def fail_inside():
        with blas.one_thread():
            assert all(get() == 1 for get, _ in controls)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert [get() for get, _ in controls] == before


def test_a_system_without_process_maps_is_left_alone(monkeypatch, tmp_path):
    """Where nothing is known of the library, nothing is changed."""
    monkeypatch.setattr(blas, "_MAPS", tmp_path / "none")
    blas._controls.cache_clear()
    assert blas._controls() == ()
    blas._controls.cache_clear()
