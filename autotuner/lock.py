"""The host-wide lock: whoever measures on this box holds it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from autotuner.core.errors import StateError


class HostLock:
    """The lock file at a path; a context manager that lets go at its end.

    The kernel drops the lock when the process ends, however it ends. Raises StateError when the
    file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._handle = _open(path)

    def __enter__(self) -> HostLock:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)

    def acquire(self) -> bool:
        """Take the lock if nobody else holds it; say whether it is held now."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, str(os.getpid()).encode(), 0)
        return True

    @property
    def holder(self) -> str:
        """The number of the process that took the lock last."""
        return os.pread(self._handle, 20, 0).decode(errors="replace") or "unknown"


def _open(path: Path) -> int:
    # The folder may be sticky and shared: there, the kernel refuses to open with O_CREAT a file
    # that somebody else made (fs.protected_regular), so opening comes first and creating is
    # exclusive. A link there could lead anywhere, so none is followed.
    try:
        while True:
            with contextlib.suppress(FileNotFoundError):
                return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            with contextlib.suppress(FileExistsError):
                handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
                os.fchmod(handle, 0o666)  # whoever measures next may be another user
                return handle
    except OSError as error:
        raise StateError(
            f"The lock {path} cannot be used: {error.strerror}; remove it, or choose another "
            "with AUTOTUNE_LOCK."
        ) from error
