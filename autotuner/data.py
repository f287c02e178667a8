"""Files that ship with the package: device presets and schemas."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

if sys.version_info >= (3, 11):
    from importlib.resources.abc import Traversable
else:
    from importlib.abc import Traversable


def resource(*parts: str) -> Traversable:
    """Return the shipped file or folder at *parts*, such as ``"profiles", "profile.schema.json"``.

    A wheel holds these files in ``autotuner/_data``; an editable install reads them from the
    repository. What does not exist is returned like any path; ask it ``is_file()``.
    """
    found: Traversable = files("autotuner") / "_data"
    if not found.is_dir():
        found = Path(__file__).parent.parent
    for part in parts:
        found = found / part
    return found
