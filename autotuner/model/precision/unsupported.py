"""What ends the making of a variant without a fault of ours."""

from __future__ import annotations


class Unsupported(Exception):  # noqa: N818 - it becomes a Failed, which is no error
    """There is no such variant of this model; the message says why."""
