"""Compiled engines on disk: built once, whole or not there, never those of something else."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from autotuner import durable

_DIGEST_BYTES = hashlib.sha256().digest_size
_WHOLE = "whole"


def digest(model: Path) -> str:
    """Return the digest of *model* and of the weights that lie beside it; raises OSError.

    A graph holds the names of the files that its weights are in.
    """
    content = model.read_bytes()
    whole = hashlib.sha256(content)
    for file in sorted(model.parent.iterdir()):
        if file != model and file.is_file() and file.name.encode() in content:
            whole.update(file.read_bytes())
    return whole.hexdigest()


class EngineCache:
    """Engines in *folder*, by all that they depend on: *parts* such as model, version and GPU."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, parts: Mapping[str, str], build: Callable[[], bytes]) -> bytes:
        """Return the engine of *parts*, building it when there is no whole one.

        Of several processes that want it at once one builds it and the others wait.
        """
        key = hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()[:32]
        path = self._folder / f"{key}.engine"
        with _alone(path.with_suffix(".lock")):
            engine = self._read(path)
            if engine is None:
                engine = build()
                durable.write(path, hashlib.sha256(engine).digest() + engine)
            return engine

    @staticmethod
    def _read(path: Path) -> bytes | None:
        """Return the content of *path* when it is what was once written."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        engine = content[_DIGEST_BYTES:]
        return engine if hashlib.sha256(engine).digest() == content[:_DIGEST_BYTES] else None


@contextlib.contextmanager
def written_whole(folder: Path) -> Iterator[None]:
    """Let the body write engines into *folder*, which nobody else writes or reads meanwhile.

    What an earlier body did not come to the end of is thrown away first.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.with_name(f"{folder.name}.lock")):
        if not (folder / _WHOLE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        yield
        (folder / _WHOLE).touch()


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Run the body while no other process runs it with the same *lock*."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # ends with the file, also when the process is killed
        yield
