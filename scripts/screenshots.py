"""Take the pictures of the terminal interface in docs/images from a real search on this machine.

python scripts/screenshots.py [MODEL] [--max-latency-ms 50] [--seconds 40]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

from autotuner import client
from autotuner.core.request import TuneRequest, Workload
from tui.app import TerminalApp
from tui.feed import DaemonFeed
from tui.session import Session

_IMAGES = Path(__file__).parents[1] / "docs" / "images"
_SIZE = (120, 40)


async def _take(app: TerminalApp, seconds: float) -> None:
    """Take the dashboard amid the search, the trial and the profile after it."""
    async with app.run_test(size=_SIZE) as pilot:
        await pilot.pause(0.8 * seconds)
        app.save_screenshot("tui-dashboard.svg", str(_IMAGES))
        while app.session.job is None or app.session.job.ending is None:
            await pilot.pause(0.5)
        for page in ("trial", "profiles", "machine"):
            app.do(page)
            await pilot.pause(2.0)
            app.save_screenshot(f"tui-{page}.svg", str(_IMAGES))


def main() -> None:
    """Search in a state folder of its own and take the pictures meanwhile."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default="squeezenet")
    parser.add_argument("--max-latency-ms", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=40.0)
    chosen = parser.parse_args()
    model = str(Path(chosen.model).absolute()) if Path(chosen.model).exists() else chosen.model
    request = TuneRequest(
        workload=Workload(model=model),
        max_latency_ms=chosen.max_latency_ms,
        max_seconds=chosen.seconds,
    )
    _IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AUTOTUNE_STATE_DIR"] = folder
        with client.connected(Path(folder)) as daemon:
            feed = DaemonFeed(Path(folder), job=daemon.submit(request))
            asyncio.run(_take(TerminalApp(Session(box="edge-01"), feed), chosen.seconds))
            feed.stop()


if __name__ == "__main__":
    main()
