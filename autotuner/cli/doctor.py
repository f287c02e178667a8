"""The verb ``doctor``: what this machine offers, what is missing and what would mend it."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autotuner import client, locations
from autotuner.cli import selftest
from autotuner.core.checkup import Check, Status
from autotuner.core.encoding import decode

_MARKS: dict[Status, Text] = {
    "ok": Text("✓", style="green"),
    "absent": Text("-", style="dim"),
    "attention": Text("!", style="bold yellow"),
}
_INDENT = 2


def examine(chosen: argparse.Namespace) -> int:
    """Print the check-up of this machine, or what it does of what it should."""
    with client.connected(locations.state_dir()) as daemon:
        found = daemon.doctor()
    if chosen.selftest:
        usable = {c["name"] for c in found if (c["area"], c["status"]) == ("runtimes", "ok")}
        console = Console(stderr=chosen.json, highlight=False)
        return selftest.run(usable, console, as_json=chosen.json)
    if chosen.json:
        print(json.dumps({"status": "ok", "checks": found}, indent=2))
    else:
        show([decode(Check, check) for check in found], Console(highlight=False))
    return 0


def show(checks: Sequence[Check], console: Console) -> None:
    """Print *checks* for people, an area at a time, every remedy below what it mends."""
    width = max((len(check.name) for check in checks), default=0)
    for area, group in itertools.groupby(checks, key=lambda check: check.area):
        console.print(Text(area, style="bold"))
        console.print(Padding(_table(list(group), width), (0, 0, 1, _INDENT)))
    attention = sum(check.status == "attention" for check in checks)
    if attention:
        console.print(f"{attention} can be mended as the arrows (→) say, if you need them.")
    else:
        console.print("Nothing needs attention.")


def _table(checks: Sequence[Check], width: int) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(width=width)
    table.add_column(overflow="fold")
    for check in checks:
        table.add_row(_MARKS[check.status], check.name, Text(check.detail))
        if check.fix:
            table.add_row("", "", Text(f"→ {check.fix}", style="cyan"))
    return table
