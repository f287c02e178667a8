"""The hint that follows a name nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ``did you mean A or B?``, or the list of *names* when none resembles *name*."""
    known = sorted(names)
    alike = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if alike:
        return f"did you mean {' or '.join(alike)}?"
    return f"known names: {', '.join(known)}."
