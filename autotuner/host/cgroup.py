"""The control groups above this process, of either version, and what they limit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NO_LIMIT = 1 << 60  # version 1 writes a number of about this size for "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryGroup:
    """A control group that may use *limit* bytes of memory; *usage* is the file that counts."""

    limit: int
    usage: Path

    def left(self) -> int:
        """Return how many bytes are left, the file cache that goes first counted as free."""
        with contextlib.suppress(OSError, ValueError):
            used = int(self.usage.read_text())
            return max(0, self.limit - max(0, used - _inactive_file(self.usage.parent)))
        return self.limit


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

    def memory_groups(self) -> Iterator[MemoryGroup]:
        """Yield every group that limits memory."""
        for folder in self._folders("memory"):
            for limit_name, usage_name in (
                ("memory.max", "memory.current"),
                ("memory.limit_in_bytes", "memory.usage_in_bytes"),
            ):
                with contextlib.suppress(OSError, ValueError):
                    limit = int((folder / limit_name).read_text())
                    if limit < _NO_LIMIT:
                        yield MemoryGroup(limit=limit, usage=folder / usage_name)

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
        lines = (folder / "memory.stat").read_text().splitlines()
        stat = dict(line.split(" ", 1) for line in lines)
        # In version 1 only the total has the groups below, as the group's use does.
        return int(stat.get("total_inactive_file") or stat.get("inactive_file", "0"))
    return 0
