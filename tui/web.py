"""Serve the terminal interface to a browser, on this box alone unless told otherwise."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; what is not for the server goes to every interface it starts."""
    parser = argparse.ArgumentParser(prog="autotune tui --web", allow_abbrev=False)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--address", default="localhost")
    chosen, rest = parser.parse_known_args(arguments)
    try:
        from textual_serve.server import Server  # noqa: PLC0415 - optional
    except ImportError:
        print(  # noqa: T201 - said on the plain terminal
            "autotune: The browser needs textual-serve; run: pip install 'edge-autotune[web]'",
            file=sys.stderr,
        )
        return 2
    command = shlex.join([sys.executable, "-m", "tui", *rest])
    Server(command, host=chosen.address, port=chosen.port, title="edge-autotune").serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
