"""What a power control is made of: groups of settings that are read and written together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from autotuner.host.power import nodes


class Knobs(Protocol):
    """Some settings of the machine that belong together."""

    @property
    def names(self) -> frozenset[str]:
        """The settings' names."""

    def read(self) -> dict[str, str]:
        """Return what is set now; what cannot be read is left out."""

    def write(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Set *values*; return a sentence for each that does not read back as wanted."""

    def settled(self) -> bool:
        """Say whether the hardware follows what is set."""

    def need(self) -> str | None:
        """Say what would be needed to write, None when nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """Files in ``/sys`` of which each stands for itself; *what* names them to a person."""

    root: Path
    what: str
    files: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """The files."""
        return frozenset(self.files)

    def read(self) -> dict[str, str]:
        """Return the files' values."""
        found = {name: nodes.read(self.root, name) for name in self.files}
        return {name: value for name, value in found.items() if value is not None}

    def write(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Set *values* in the order of the files."""
        ordered = [name for name in self.files if name in values]
        said = [nodes.set_and_verify(self.root, name, values[name]) for name in ordered]
        return tuple(sentence for sentence in said if sentence is not None)

    def settled(self) -> bool:
        """Return true: nothing follows with a delay."""
        return True

    def need(self) -> str | None:
        """Say that root's right to write is missing, if it is."""
        return missing_right(self.root, self.what, self.files)


def missing_right(root: Path, what: str, files: tuple[str, ...]) -> str | None:
    """Return what would be needed to write all of *files*, None when nothing is."""
    if all(nodes.writable(root, name) for name in files if nodes.read(root, name) is not None):
        return None
    return f"Setting {what} needs write access to /sys: run as root, outside of a container."
