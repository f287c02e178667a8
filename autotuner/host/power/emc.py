"""The memory controller's clock of a Jetson, held at its highest rate as jetson_clocks does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autotuner.host.power import nodes
from autotuner.host.power.knobs import missing_right

_FOLDER = "/sys/kernel/debug/bpmp/debug/clk/emc"
LOCK = f"{_FOLDER}/mrq_rate_locked"
_RATE, _MAX_RATE = f"{_FOLDER}/rate", f"{_FOLDER}/max_rate"
_CAPS = ("/sys/kernel/nvpmodel_clk_cap/emc", "/sys/kernel/nvpmodel_emc_cap/emc_iso_cap")


class EmcLock:
    """Whether the rate is locked (``1``) at the highest that the power mode allows."""

    names = frozenset({LOCK})

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self) -> dict[str, str]:
        """Return whether the rate is locked; nothing where debugfs cannot be read."""
        value = nodes.read(self._root, LOCK)
        return {} if value is None else {LOCK: value}

    def write(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Lock or unlock; a rate that is locked already stays what it is."""
        wanted = values.get(LOCK)
        if wanted is None or nodes.read(self._root, LOCK) == wanted:
            return ()
        said = [nodes.set_and_verify(self._root, LOCK, wanted)]
        if wanted == "1" and (top := self._top()) is not None:
            said.append(nodes.set_and_verify(self._root, _RATE, str(top)))
        return tuple(sentence for sentence in said if sentence is not None)

    def settled(self) -> bool:
        """Return true: the rate is read back when it is written."""
        return True

    def need(self) -> str | None:
        """Say that root's right to write is missing, if it is."""
        return missing_right(self._root, "the memory controller's clock", (LOCK, _RATE))

    def _top(self) -> int | None:
        limits = [nodes.read_int(self._root, name) for name in (_MAX_RATE, *_CAPS)]
        return min((limit for limit in limits if limit), default=None)  # 0 is no cap
