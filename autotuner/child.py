"""What every child process of ours does first."""

from __future__ import annotations

import contextlib
import ctypes
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def tie_to_parent() -> None:
    """End with the parent, leave Ctrl-C to it, and offer this process first when memory runs out.

    See prctl(2), PR_SET_PDEATHSIG, and proc(5), oom_score_adj.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
