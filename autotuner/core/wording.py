"""How many there are of something, in words."""

from __future__ import annotations


def counted(number: int, thing: str, several: str | None = None) -> str:
    """Return such as ``1 trial`` and ``2 trials``; *several* is a plural that adds no s."""
    return f"{number} {thing if number == 1 else several or f'{thing}s'}"
