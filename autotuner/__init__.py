"""Find the fastest configuration that provably keeps a latency budget on this box."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["frame", "open_profile", "sweep", "tune"]


def __getattr__(name: str) -> Any:
    # Lazy, so that a front end does not pay for the search and the runtimes.
    if name in __all__:
        from autotuner import api  # noqa: PLC0415

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
