"""Run the terminal interface: ``python -m tui --state FOLDER``; the command line does it."""

from __future__ import annotations

import argparse
import contextlib
import locale
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from autotuner.client import connected
from autotuner.core.actions import with_keymap
from autotuner.core.errors import AutotunerError
from tui import glyphs, settings
from tui.app import TerminalApp
from tui.farewell import exit_status, farewell
from tui.feed import DaemonFeed
from tui.session import Session

_LITE_INTERVAL_S = 2.0
_NICENESS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the daemon's jobs until the user leaves; return the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        app = _app(chosen)
        if chosen.host is not None:
            _reach(chosen)
    except AutotunerError as error:
        print(f"autotune: {error}", file=sys.stderr)  # noqa: T201 - the terminal is still plain
        return 2
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)  # watching must not change what is measured
    app.run()
    app.feed.stop()
    if words := farewell(app.session):
        print(words)  # noqa: T201 - the last word on the plain terminal
    return exit_status(app.session)


def _app(chosen: argparse.Namespace) -> TerminalApp:
    """Return the application as *chosen* and set; raises InputError for wrong settings."""
    wanted = settings.read(settings.path(os.environ))
    theme = chosen.theme or wanted.theme
    if theme == "auto":
        theme = "ansi" if chosen.lite or os.environ.get("TERM") == "linux" else "dark"
    signs = glyphs.choose(
        chosen.glyphs or wanted.glyphs, os.environ, locale.getpreferredencoding(False)
    )
    interval_s = _LITE_INTERVAL_S if chosen.lite else 1.0
    box = (chosen.host or socket.gethostname()).rpartition("@")[2].partition(".")[0]
    session = Session(box=box, glyphs=signs, read_only=chosen.read_only)
    feed = DaemonFeed(Path(chosen.state), job=chosen.job, host=chosen.host, interval_s=interval_s)
    return TerminalApp(
        session,
        feed,
        actions=with_keymap(wanted.keymap),
        theme=theme,
        interval_s=interval_s,
        plot=not chosen.lite,
    )


def _reach(chosen: argparse.Namespace) -> None:
    """Make sure that the other box answers while ssh can still speak on the plain terminal.

    Later connections are silent: what ssh says would fall into the picture.
    """
    with connected(Path(chosen.state), chosen.host):
        pass
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.close(silence)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="autotune tui", allow_abbrev=False)
    parser.add_argument("--state", required=True, metavar="FOLDER")
    parser.add_argument("--job", metavar="ID")
    parser.add_argument("--host", metavar="USER@BOX")
    parser.add_argument("--theme", choices=("auto", "dark", "light", "ansi"))
    parser.add_argument("--glyphs", choices=("auto", "braille", "block", "ascii"))
    parser.add_argument("--lite", action="store_true")
    parser.add_argument("--read-only", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
