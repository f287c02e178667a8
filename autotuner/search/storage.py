"""Where a study is kept: opened safely, with errors that say what to do."""

from __future__ import annotations

import contextlib
import sqlite3
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from autotuner.core.errors import StateError

HEARTBEAT_S = 10
"""How often a box says that it still works on a trial of a shared study."""

_REMEDIES = {
    "is full": "is on a full disk; free some space and run again, finished trials are kept",
    "disk i/o error": "cannot be read or written; check the disk and its free space and run again",
    "malformed": "is damaged; move it away and run again to start afresh",
    "not a database": "is damaged or no study at all; move it away and run again to start afresh",
    "unable to open": "cannot be opened; check that its folder exists and may be written",
    "readonly": "cannot be written; check its owner and permissions",
    "locked": "is in use by another process; wait until it ends and run again",
    "no such table": "is damaged; move it away and run again to start afresh",
    "is no longer compatible": "was written by another version of Optuna; install that version",
}
_DAMAGED = ("malformed", "not a database")
_RUNTIME_ERRORS = (
    optuna.exceptions.StorageInternalError,
    SQLAlchemyError,
    sqlite3.Error,
    RuntimeError,
)


def is_shared(url: str | None) -> bool:
    """Say whether several boxes may work on a study in *url* at the same time."""
    return url is not None and not url.startswith("sqlite")


def open_storage(url: str | None) -> BaseStorage:
    """Return the storage at *url*; None is memory.

    A SQLite file is put into write-ahead mode, so that a killed process loses nothing that was
    told. Raises StateError when it cannot be used.
    """
    if url is None:
        return InMemoryStorage()
    with reported(url):
        file = _sqlite_file(url)
        if file is not None:
            _check_sqlite(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            storage = RDBStorage(
                _with_driver(url), heartbeat_interval=HEARTBEAT_S if is_shared(url) else None
            )
        if file is not None:
            storage.engine.dispose()
            sqlalchemy.event.listen(storage.engine, "connect", _relax_sync)
    return storage


def set_aside_if_damaged(url: str) -> Path | None:
    """Move the SQLite file at *url* aside when it is damaged; return where it lies now."""
    file = _sqlite_file(url)
    if file is None or not file.is_file():
        return None
    try:
        _check_sqlite(file)
    except sqlite3.DatabaseError as error:
        if not any(sign in str(error) for sign in _DAMAGED):
            return None  # whoever opens it says what is wrong
    else:
        return None
    aside = file.with_suffix(".damaged")
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            file.with_name(file.name + suffix).replace(aside.with_name(aside.name + suffix))
    return aside


def close_storage(storage: BaseStorage) -> None:
    """Close the connections of *storage*."""
    storage.remove_session()
    if isinstance(storage, RDBStorage):
        storage.engine.dispose()


@contextlib.contextmanager
def reported(url: str | None) -> Iterator[None]:
    """Raise what goes wrong with the storage at *url* as a StateError that says what to do."""
    try:
        yield
    except ArgumentError as error:
        raise StateError(
            f"The storage {_shown(url)} cannot be opened: it is no URL of a database; "
            "write it such as sqlite:////home/me/studies.db."
        ) from error
    except ImportError as error:
        raise StateError(
            f"The storage {_shown(url)} cannot be opened: {error}; install that driver, "
            "for PostgreSQL with the extra edge-autotune[postgresql]."
        ) from error
    except _RUNTIME_ERRORS as error:
        text = " ".join(str(cause) for cause in _causes(error)).lower()
        remedy = next((remedy for sign, remedy in _REMEDIES.items() if sign in text), None)
        if remedy is None and isinstance(error, RuntimeError):
            raise
        remedy = remedy or f"cannot be used ({error}); check that it can be reached"
        raise StateError(f"The study in {_shown(url)} {remedy}.") from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _shown(url: str | None) -> str:
    """Return *url* as a person should see it: a file's path, or the address without password."""
    if url is None:
        return "memory"
    try:
        return str(_sqlite_file(url) or make_url(url).render_as_string(hide_password=True))
    except ArgumentError:
        return repr(url)


def _with_driver(url: str) -> str:
    """Return *url* with the driver that comes with us, when it names PostgreSQL without one."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if separator and scheme == "postgresql" else url


def _sqlite_file(url: str) -> Path | None:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def _check_sqlite(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError("database disk image is malformed")


def _relax_sync(connection: Any, _record: Any) -> None:
    """Leave the disk's flush to checkpoints: a killed process still loses nothing."""
    connection.execute("PRAGMA synchronous=NORMAL")
