"""The content hash of files of any size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_READ_BYTES = 2**20


def sha256(files: Iterable[Path]) -> str:
    """Return the SHA-256, in hexadecimal, of the contents of *files*, one after the other."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            while block := content.read(_READ_BYTES):
                digest.update(block)
    return digest.hexdigest()
