"""Where state, caches, sockets and the lock lie on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from autotuner.core.errors import StateError

_LONGEST_SOCKET_PATH = 100  # sun_path has 108 bytes


def state_dir() -> Path:
    """Return the folder of profiles, studies and jobs; ``AUTOTUNE_STATE_DIR`` overrides it."""
    return _place("AUTOTUNE_STATE_DIR", "/var/lib/autotuner", "XDG_STATE_HOME", ".local/state")


def cache_dir() -> Path:
    """Return the folder of what can be made again; ``AUTOTUNE_CACHE_DIR`` overrides it."""
    return _place("AUTOTUNE_CACHE_DIR", "/var/cache/autotuner", "XDG_CACHE_HOME", ".cache")


def trial_journal() -> Path:
    """Return where a run keeps the machine's own power state while it tries others."""
    return state_dir() / "trial-power.json"


def trial_mps() -> Path:
    """Return the folder that is there while a run has an MPS daemon of its own."""
    return state_dir() / "trial-mps"


def lock_file() -> Path:
    """Return the host-wide lock that whoever measures holds; ``AUTOTUNE_LOCK`` overrides it."""
    if override := os.environ.get("AUTOTUNE_LOCK"):
        return Path(override)
    shared = Path("/run/lock")
    folder = shared if os.access(shared, os.W_OK) else Path("/tmp")  # noqa: S108
    return folder / "autotuner.lock"


def system_socket() -> Path:
    """Return the socket of the box's own daemon; ``AUTOTUNE_SOCKET`` overrides it."""
    return Path(os.environ.get("AUTOTUNE_SOCKET") or "/run/autotuner/autotuner.sock")


def config_file() -> Path:
    """Return the daemon's configuration; ``AUTOTUNE_CONFIG`` overrides it."""
    if override := os.environ.get("AUTOTUNE_CONFIG"):
        return Path(override)
    if os.geteuid() == 0:
        return Path("/etc/autotuner/config.yaml")
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "autotuner/config.yaml"


def published_dir() -> Path:
    """Return the folder where the profile in force is published for other programs."""
    if "AUTOTUNE_STATE_DIR" in os.environ or os.geteuid() != 0:
        return state_dir() / "active"
    return Path("/run/autotuner/active")


def private_socket(state: Path) -> Path:
    """Return the socket of the private daemon that keeps its state in *state*.

    The folder is made when it is missing, for this user only. Raises StateError when somebody
    else owns it.
    """
    digest = hashlib.sha256(str(state).encode()).hexdigest()[:12]
    for folder in _socket_folders():
        path = folder / f"{digest}.sock"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
            make_private(folder)
            return path
    raise StateError("No folder has a path short enough for a socket; set XDG_RUNTIME_DIR.")


def make_folder(path: Path) -> Path:
    """Make *path* with its parents and return it; raises StateError when it cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise StateError(
            f"The folder {path} cannot be written ({error.strerror}); mend that, or choose "
            "another state folder with AUTOTUNE_STATE_DIR and cache folder with AUTOTUNE_CACHE_DIR."
        ) from error
    return path


def make_private(folder: Path) -> None:
    """Make *folder* for this user alone; raises StateError when it is not ours."""
    with contextlib.suppress(FileExistsError):  # what it is decides below
        folder.mkdir(mode=0o700, parents=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StateError(f"{folder} belongs to somebody else or is open to others; remove it.")


def _socket_folders() -> list[Path]:
    fallback = Path(tempfile.gettempdir()) / f"autotuner-{os.getuid()}"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK):
        return [Path(runtime) / "autotuner", fallback]
    return [fallback]


def _place(variable: str, for_root: str, xdg_variable: str, under_home: str) -> Path:
    if override := os.environ.get(variable):
        return Path(override).absolute()
    if os.geteuid() == 0:
        return Path(for_root)
    base = os.environ.get(xdg_variable)
    return (Path(base) if base else Path.home() / under_home) / "autotuner"
