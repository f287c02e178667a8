"""The originals of what is being changed, on disk before the first change."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from autotuner import durable
from autotuner.core.encoding import decode, encode
from autotuner.core.errors import InputError, StateError
from autotuner.host.power.base import PowerError, State
from autotuner.host.power.tool import locked

_SCHEMA = 1
_LOCK_POLL_S = 0.02
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Journal:
    """The file at *path*; *boot_id* tells this boot from others.

    Whoever changes the machine holds the journal's lock. The guardian shares it, so that nobody
    comes in between when the holder is killed and the guardian restores.
    """

    def __init__(self, path: Path, *, boot_id: str | None = None) -> None:
        self.path = path
        self._boot_id = boot_id or _BOOT_ID.read_text().strip()
        self._lock: int | None = None

    def claim(self, wait_s: float) -> int:
        """Take the lock, for which *wait_s* may pass, and return its file descriptor.

        Raises PowerError when somebody keeps it, StateError when the folder cannot be written.
        """
        try:
            handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateError(
                f"The power journal {self.path} cannot be written ({error.strerror}); mend that, "
                "or choose another state folder with AUTOTUNE_STATE_DIR."
            ) from error
        deadline = time.monotonic() + wait_s
        while not locked(handle):
            if time.monotonic() > deadline:
                os.close(handle)
                raise PowerError(
                    f"Another process is changing power modes (it holds {self.path}); wait until "
                    "it is done, or end it."
                )
            time.sleep(_LOCK_POLL_S)
        self._lock = handle
        return handle

    def release(self) -> None:
        """Let the lock go; a guardian that shares it still holds it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write(self, state: State) -> None:
        """Keep *state* durably; raises StateError, and then nothing may be changed."""
        entry = {"schema": _SCHEMA, "boot_id": self._boot_id, **encode(state)}
        try:
            durable.write(self.path, json.dumps(entry, indent=1).encode(), mode=0o600)
        except OSError as error:
            raise StateError(
                f"The power journal {self.path} cannot be written ({error.strerror}), so no power "
                "mode is set; mend that, or choose another folder with AUTOTUNE_STATE_DIR."
            ) from error

    def read(self) -> tuple[State, bool] | None:
        """Return the state that was kept and whether it is of this boot, None without a journal.

        Raises StateError for a journal of a newer version, ValueError for a damaged one.
        """
        try:
            entry: Any = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        schema = entry.get("schema") if isinstance(entry, dict) else None
        if not isinstance(schema, int):
            raise ValueError("it has no schema version")  # noqa: TRY004 - a fault of the file
        if schema > _SCHEMA:
            raise StateError(
                f"The power journal {self.path} was written by a newer edge-autotune; run that "
                "one once, so that it puts the machine's power settings back."
            )
        try:
            state = decode(State, {"values": entry.get("values", {})})
        except InputError as error:
            raise ValueError(str(error)) from error
        return state, entry.get("boot_id") == self._boot_id

    def remove(self) -> None:
        """Forget what was kept."""
        self.path.unlink(missing_ok=True)

    def set_aside(self) -> Path:
        """Move a damaged journal out of the way and return its new path."""
        aside = self.path.with_suffix(f".damaged-{time.time_ns()}")
        self.path.replace(aside)
        return aside
