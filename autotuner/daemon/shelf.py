"""The profiles of a box as clients see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autotuner import store
from autotuner.core.encoding import encode
from autotuner.core.errors import StateError


class Shelf:
    """Shows the profiles in one folder; it reads files, so the event loop must not wait for it."""

    def __init__(self, folder: Path) -> None:
        self._kept = store.ProfileStore(folder)

    def summaries(self) -> list[dict[str, Any]]:
        """Return a few words about every profile, the newest first."""
        return [_summary(path) for path in self._kept.paths()]

    def show(self, name: str) -> dict[str, Any]:
        """Return the profile *name* whole. Raises InputError and StateError."""
        path = self._kept.find(name)
        return {"path": str(path), "profile": encode(store.read(path))}


def _summary(path: Path) -> dict[str, Any]:
    summary: dict[str, Any] = {"name": path.stem, "path": str(path)}
    try:
        profile = store.read(path)
    except StateError as error:
        return {**summary, "damaged": str(error)}
    measured = profile.winner.measurement
    return {
        **summary,
        "model": profile.model.name,
        "objective": str(profile.objective),
        "status": profile.status,
        "created": profile.created,
        "throughput_ips": measured.throughput_ips,
        "p99_ms": measured.p99_ms,
        "speedup": profile.speedup,
        "simulated": profile.simulated,
        "damaged": None,
    }
