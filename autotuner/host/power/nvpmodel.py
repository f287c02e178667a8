"""The power mode of a Jetson, set by its own tool or by jtop's service."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from autotuner.host.power import nodes
from autotuner.host.power.nvpmodel_conf import CONF, NvpmodelConf
from autotuner.host.power.tool import Ran, alone, run

NVPMODEL = "nvpmodel"
"""The name that a State has for the number of the power mode."""

_TOOL = "/usr/sbin/nvpmodel"
_STATUS = "/var/lib/nvpmodel/status"
_DEADLINE_S = 10.0


class Nvpmodel:
    """The mode's number; *change* sets it and *needed* is what is missing for that.

    Whatever sets it inherits the lock that is its second argument.
    """

    names = frozenset({NVPMODEL})

    def __init__(
        self,
        root: Path,
        conf: NvpmodelConf,
        *,
        change: Callable[[int, int], Ran] | None = None,
        needed: str | None = None,
    ) -> None:
        self._root = root
        self._conf = conf
        self._change = change or self._by_tool
        self._needed = needed

    def read(self) -> dict[str, str]:
        """Return the number that nvpmodel set last, at boot that of the configuration."""
        kept = re.search(r"pmode:(\d+)", nodes.read(self._root, _STATUS) or "")
        number = int(kept[1]) if kept else self._conf.default_id
        return {} if number is None else {NVPMODEL: str(number)}

    def write(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Switch unless the mode is set; the number that reads back decides, not the status.

        In a foreign mount namespace the tool ignores the request and ends with status 0.
        """
        wanted = values.get(NVPMODEL)
        if wanted is None:
            return ()
        try:
            with alone(nodes.below(self._root, CONF), _DEADLINE_S) as lock:
                if lock is None:
                    return (f"nvpmodel was not asked for mode {wanted}: another one does not end.",)
                if self.read().get(NVPMODEL) == wanted:
                    return ()
                ran = self._change(int(wanted), lock)
        except OSError as error:
            ran = Ran(status=None, said=f"{CONF}: {error.strerror}")
        found = self.read().get(NVPMODEL)
        if found == wanted:
            return ()
        name = next((m.name for m in self._conf.models if str(m.id) == wanted), "unknown")
        status = "without one" if ran.status is None else ran.status
        problem = f"nvpmodel did not set mode {wanted} ({name}), mode {found} is set"
        return (f"{problem}; it ended with status {status}: {ran.said or 'it said nothing'}.",)

    def settled(self) -> bool:
        """Return true: the clocks tell."""
        return True

    def need(self) -> str | None:
        """Return what is missing to switch."""
        return self._needed

    def _by_tool(self, number: int, lock: int) -> Ran:
        # Without input, a mode that needs a reboot is refused instead of rebooting.
        return run(
            [str(nodes.below(self._root, _TOOL)), "-m", str(number)], _DEADLINE_S, inherits=[lock]
        )
