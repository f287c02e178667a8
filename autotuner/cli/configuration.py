"""The verb ``config``: whether the daemon will understand its configuration file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from autotuner import locations, settings
from autotuner.core.wording import counted


def run(chosen: argparse.Namespace) -> int:
    """Check a file; what is wrong is raised with its line and key."""
    path = Path(chosen.file) if chosen.file else locations.config_file()
    found = settings.read(path)
    message = f"{path} is understood; it keeps {counted(len(found.models), 'model')} tuned."
    if not path.exists():
        message = f"There is no {path}; the defaults hold."
    print(json.dumps({"status": "ok", "message": message}) if chosen.json else message)
    return 0
