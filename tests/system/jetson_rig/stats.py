"""jetson-stats in an environment of its own: its licence (AGPL) keeps it out of ours."""

from __future__ import annotations

import subprocess
import sys

from rigs import CACHE, lacking, required

RELEASE = "7.2.2"


def python_with_jtop():
    """Return an interpreter that has jtop; it is made once where rigs are required."""
    folder = CACHE / f"jetson-stats-{RELEASE}"
    python, done = folder / "bin/python", folder / "done"
    if not done.exists():
        if not required():
            lacking(f"make {folder} with AUTOTUNE_REQUIRE_RIGS=1")
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, f"jetson-stats=={RELEASE}"], check=True)
        done.touch()
    return python
