"""Python inside of the machine, from memory: through 9p every import costs a second."""

from __future__ import annotations

import importlib.util
import sys
import tarfile
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_BASE = Path(sys.executable).resolve()

# An environment without packages, because the hooks that those have cost at every start.
PREPARED = rf"""
mkdir /tmp/here && cd /tmp/here && tar -xf /tmp/job/packed.tar
mkdir bin && ln -s {_BASE} bin/python
printf 'home = {_BASE.parent}\ninclude-system-site-packages = false\n' >pyvenv.cfg
export PYTHONPATH=/tmp/here:/tmp/here/tests:/tmp/here/tests/system
python=/tmp/here/bin/python
"""
"""How a job begins that runs what was packed: ``$python`` is in the folder of the files."""


def pack(folder, files, libraries):
    """Pack *files* of this repository and installed *libraries* for a job in *folder*."""
    installed = Path(importlib.util.find_spec("pytest").origin).parents[1]
    folder.mkdir()
    with tarfile.open(folder / "packed.tar", "w") as packed:
        for name in files:
            packed.add(_ROOT / name, name)
        for name in libraries:
            packed.add(installed / name, name, filter=_needed)


def _needed(entry):
    """Leave out what no run reads."""
    return None if {"tests", "test", "include"} & set(Path(entry.name).parts[1:]) else entry
