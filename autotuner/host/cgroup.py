"""The control groups above this process, of either version, and what they limit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NO_LIMIT = 1 << 60  # version 1 writes a number of about this size for "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgroups:
    """Where the kernel shows control groups; other roots serve tests."""

    root: Path = Path("/sys/fs/cgroup")
    membership: Path = Path("/proc/self/cgroup")

    def cpu_quota(self) -> float | None:
        """Return the tightest CPU quota, in CPUs; None when there is none."""
        quotas = []
        for folder in self._folders("cpu"):
            with contextlib.suppress(OSError, ValueError):
                quota, period = (folder / "cpu.max").read_text().split()
                quotas.append(int(quota) / int(period))  # "max" is no number
            with contextlib.suppress(OSError, ValueError):
                quota_us = int((folder / "cpu.cfs_quota_us").read_text())
                period_us = int((folder / "cpu.cfs_period_us").read_text())
                if quota_us > 0:
                    quotas.append(quota_us / period_us)
        return min(quotas, default=None)

    def memory_limits(self) -> Iterator[tuple[int, int]]:
        """Yield limit and use in bytes of every group that limits memory.

        Use leaves out the file cache that the kernel would give back first.
        """
        for folder in self._folders("memory"):
            for limit_name, used_name in (
                ("memory.max", "memory.current"),
                ("memory.limit_in_bytes", "memory.usage_in_bytes"),
            ):
                with contextlib.suppress(OSError, ValueError):
                    limit = int((folder / limit_name).read_text())
                    used = int((folder / used_name).read_text())
                    if limit < _NO_LIMIT:
                        yield limit, max(0, used - _inactive_file(folder))

    def _folders(self, controller: str) -> Iterator[Path]:
        with contextlib.suppress(OSError):
            for line in self.membership.read_text().splitlines():
                _, controllers, path = line.split(":", 2)
                if controllers and controller not in controllers.split(","):
                    continue
                base = self.root / controller if controllers else self.root
                group = base / path.lstrip("/")
                yield group
                yield from (p for p in group.parents if p == base or base in p.parents)


def _inactive_file(folder: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in (folder / "memory.stat").read_text().splitlines():
            key, _, value = line.partition(" ")
            if key in {"inactive_file", "total_inactive_file"}:
                return int(value)
    return 0
