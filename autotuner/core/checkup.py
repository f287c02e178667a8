"""What was found out about a machine: one line for each thing that it offers or lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "absent", "attention"]
"""``absent`` is what this machine does not have, ``attention`` what can be mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding: *area* and *name* say about what, *detail* what was found.

    *fix* is the command or step that would change it, None where nothing has to or does.
    """

    area: str
    name: str
    status: Status
    detail: str
    fix: str | None = None
