"""What a test needs of the machine: installed or a failure where it is required, else a skip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("AUTOTUNE_RIG_CACHE", "/var/cache/autotuner-rigs"))
"""Where rigs keep what is costly to make."""


def required():
    """Say whether a missing rig is a failure: in CI, and where somebody asked for it."""
    return bool(os.environ.get("CI") or os.environ.get("AUTOTUNE_REQUIRE_RIGS"))


def need_programs(**packages):
    """Have the programs that are named, each in the Debian package given."""
    missing = sorted({packages[name] for name in packages if shutil.which(name) is None})
    if missing and required() and os.geteuid() == 0:
        # Other processes of the same run may be at it.
        waiting = ("-o", "DPkg::Lock::Timeout=300")
        subprocess.run(["apt-get", "-qq", *waiting, "update"], check=True, stdout=sys.stderr)
        install = ["apt-get", "-qq", *waiting, "install", "-y", "--no-install-recommends"]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*install, *missing], check=True, stdout=sys.stderr, env=environment)
    elif missing:
        lacking(f"install {' '.join(missing)}")


def need_root():
    """Be root."""
    if os.geteuid() != 0:
        lacking("run as root")


def need_fuse():
    """Be able to mount a file system of one's own."""
    need_programs(fusermount3="fuse3")
    if not os.access("/dev/fuse", os.W_OK):
        lacking("make /dev/fuse writable")


def lacking(what):
    """End the test because something is missing; *what* would mend that."""
    if required():
        pytest.fail(f"a rig is missing: {what}")
    pytest.skip(f"a rig is missing: {what}")
