"""jtop's service as the way to another power mode for who is in its group and not root."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autotuner.host.power import nodes
from autotuner.host.power.knobs import Knobs
from autotuner.host.power.nvpmodel_conf import NvpmodelConf
from autotuner.host.power.tool import Ran, run

_SOCKET = "/run/jtop.sock"
_CLIENT = Path(__file__).with_name("client.py")
PYTHONS = (sys.executable, "/usr/bin/python3")
_DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service, spoken to by a client process run by *python*.

    A process of its own, because the client blocks without limit on a service that hangs and
    changes how this process would start others; and its licence (AGPL) stays its own.
    """

    python: str

    @classmethod
    def find(
        cls, root: Path, conf: NvpmodelConf, pythons: Sequence[str] = PYTHONS
    ) -> Service | None:
        """Return the service if it may be used here, None otherwise.

        It takes a mode's place in the configuration for its number, so both must be the same.
        """
        socket = nodes.below(root, _SOCKET)
        if not os.access(socket, os.R_OK | os.W_OK):
            return None
        if [model.id for model in conf.models] != list(range(len(conf.models))):
            return None
        for python in pythons:
            if run([python, "-c", "import jtop"], _DEADLINE_S).status == 0:
                return cls(python=python)
        return None

    @staticmethod
    def hint(root: Path) -> tuple[str, ...]:
        """Say how the service may be used, where there is one that may not be."""
        if not nodes.below(root, _SOCKET).exists():
            return ()
        may = "jtop's service runs here and may switch whole power modes for members of its group"
        return (f"{may}: `sudo usermod -aG jtop $USER`, then log in again.",)

    def change(self, number: int, lock: int) -> Ran:
        """Ask for the mode with that number and wait until it is set."""
        return run([self.python, str(_CLIENT), str(number)], _DEADLINE_S, inherits=[lock])


class Followed:
    """Knobs that somebody else writes: they are compared with what is wanted."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self.names = knobs.names

    def read(self) -> dict[str, str]:
        """Return what is set now."""
        return self._knobs.read()

    def write(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Write nothing; return a sentence for each value that is not as wanted."""
        found = self.read()
        return tuple(
            nodes.problem(name, value, found.get(name), "jtop's service did not set it")
            for name, value in values.items()
            if found.get(name) != value
        )

    def settled(self) -> bool:
        """Say whether the hardware follows what is set."""
        return self._knobs.settled()

    def need(self) -> str | None:
        """Return None: whoever writes has the right to."""
        return None
