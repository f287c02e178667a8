"""Single values in ``/sys``: read, written, and what to say when that fails."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

_BUSY_TRIES = 5
_BUSY_PAUSE_S = 0.05
_TAKEN_OVER_S = 1.0
_POLL_S = 0.01


def read(root: Path, name: str) -> str | None:
    """Return the value of the node *name* below *root*, None when it cannot be read."""
    try:
        # Device tree strings end with NUL, sysfs values with a line feed.
        return below(root, name).read_text(errors="replace").strip("\0\n ")
    except OSError:
        return None


def read_int(root: Path, name: str) -> int | None:
    """Return the number in the node *name*, None when there is none."""
    text = read(root, name)
    return int(text) if text is not None and text.lstrip("-").isdecimal() else None


def write(root: Path, name: str, value: str) -> str | None:
    """Write *value* to an existing node in one call; return why it was refused, None if not.

    That the kernel accepts a value does not mean that it keeps it: read it back.
    """
    for last in [False] * (_BUSY_TRIES - 1) + [True]:
        try:
            handle = os.open(below(root, name), os.O_WRONLY | os.O_TRUNC)
            try:
                os.write(handle, value.encode())
            finally:
                os.close(handle)
        except OSError as error:
            if error.errno != errno.EBUSY or last:
                return os.strerror(error.errno or 0)
            time.sleep(_BUSY_PAUSE_S)
        else:
            return None
    return None


def read_back(root: Path, name: str, agrees: Callable[[str], bool]) -> str | None:
    """Return the value of a node that was written, waiting a moment until it *agrees*.

    cpufreq takes new limits over in a thread of its own (cpufreq_notifier_max), so that the old
    ones may be read for a while.
    """
    deadline = time.monotonic() + _TAKEN_OVER_S
    while (found := read(root, name)) is not None and not agrees(found):
        if time.monotonic() > deadline:
            break
        time.sleep(_POLL_S)
    return found


def set_and_verify(root: Path, name: str, value: str) -> str | None:
    """Make the node *name* hold *value*; return a sentence when it does not."""
    found = read(root, name)
    if found == value:
        return None
    refused = write(root, name, value) if found is not None else "it has vanished"
    if refused is not None:
        return problem(name, value, read(root, name), refused)
    found = read_back(root, name, value.__eq__)
    return None if found == value else problem(name, value, found, None)


def problem(name: str, value: str, found: str | None, refused: str | None) -> str:
    """Return the sentence about a node that does not hold *value*."""
    now = "cannot be read" if found is None else f"is {found!r}"
    why = refused or "the kernel accepted the value and made another of it"
    return f"{name} could not be set to {value!r} ({why}); it {now}."


def writable(root: Path, name: str) -> bool:
    """Say whether this process may write the node, as far as its mode and mount tell."""
    return os.access(below(root, name), os.W_OK)


def canonical(root: Path, name: str) -> str:
    """Return the one name of a node that can be reached by several, such as ``cpu0/cpufreq``."""
    base = root.resolve()
    return "/" + str(below(root, name).resolve().relative_to(base))


def below(root: Path, name: str) -> Path:
    """Return the path of the absolute *name* below *root*."""
    return root / name.lstrip("/")
