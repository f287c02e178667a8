"""Asking a runtime or a driver what it finds, in a process of its own.

Drivers leave threads and memory behind in a process that asked them, and a broken one ends it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autotuner.backends.base import BackendFailure
from autotuner.child import tie_to_parent

_LONGEST_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of it: the answer, and what was *said* meanwhile on the standard error."""

    value: Any
    said: str


def ask(module: str, *arguments: str, otherwise: str) -> Answer:
    """Run *module* and return what it answered.

    When it fails BackendFailure says *otherwise* and the last line that it wrote.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST_S,
        )
    except subprocess.TimeoutExpired:
        detail = f"{otherwise}: no answer within {_LONGEST_S:.0f} s"
        raise BackendFailure("timeout", detail) from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"]
        raise BackendFailure("unsupported", f"{otherwise}: {said[-1]}")
    # Libraries may have written before; the answer is the last line.
    return Answer(value=json.loads(done.stdout.splitlines()[-1]), said=done.stderr)


def answer(find: Callable[..., Any]) -> None:
    """Be the process that is asked: write what *find* returns for the command's arguments."""
    tie_to_parent()
    try:
        print(json.dumps(find(*sys.argv[1:])), flush=True)  # noqa: T201 - read by ask()
    except BackendFailure as failure:
        raise SystemExit(failure.detail) from None
