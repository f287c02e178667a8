"""The linear algebra library's threads, of which small matrices need only one."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

_MAPS = Path("/proc/self/maps")
_NAMES = (
    ("scipy_openblas_get_num_threads64_", "scipy_openblas_set_num_threads64_"),
    ("scipy_openblas_get_num_threads", "scipy_openblas_set_num_threads"),
    ("openblas_get_num_threads64_", "openblas_set_num_threads64_"),
    ("openblas_get_num_threads", "openblas_set_num_threads"),
)
"""How builds of OpenBLAS call the same two functions."""


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run the body with one OpenBLAS thread; put the former number back.

    Threads that wait for each other on busy cores make matrices of this size ten times slower, and
    they would steal the cores of a measurement. Another library than OpenBLAS is left alone.
    """
    controls = _controls()
    former = [get() for get, _ in controls]
    for _, set_threads in controls:
        set_threads(1)
    try:
        yield
    finally:
        for (_, set_threads), number in zip(controls, former, strict=True):
            set_threads(number)


@cache
def _controls() -> tuple[tuple[Callable[[], int], Callable[[int], None]], ...]:
    """Return how to read and set the threads of every OpenBLAS that this process has loaded."""
    try:
        mapped = _MAPS.read_text()
    except OSError:
        return ()
    paths = {line.split()[-1] for line in mapped.splitlines() if "openblas" in line}
    found = []
    for path in sorted(paths):
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        for get, set_threads in _NAMES:
            if hasattr(library, get) and hasattr(library, set_threads):
                found.append((getattr(library, get), getattr(library, set_threads)))
                break
    return tuple(found)
