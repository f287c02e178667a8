"""Ten minutes of a job with ten thousand trials: `make soak` runs it."""

import asyncio
import json
import logging
import os
import random
import time

import psutil
import pytest
from conftest import make_app, stamped_lines
from made_up_readings import telemetry

from tui.news import Readings
from tui.recorded import happened

SECONDS = float(os.environ.get("AUTOTUNE_SOAK_SECONDS", "600"))
TRIALS = 10_000
PARTS = 10
MOST_KIB_PER_TRIAL = 0.5
NOISE = 1.25
"""So much more work in the last parts than in the first may be due to others on the machine."""


def lines_of_a_long_job():
    """Yield the record of a job of so many trials, line by line as text."""
    lines = stamped_lines()
    yield json.dumps(lines[0])
    seen = [line for line in lines if line["event"] == "trial_done" and line["phase"] == "search"]
    chance, n = random.Random(8), 1
    for number in range(TRIALS):
        line = seen[number % len(seen)]
        faster = chance.uniform(0.5, 2.0)
        outcome = dict(line["outcome"], histogram={"low_ms": 3.0, "high_ms": 30.0})
        outcome["throughput_ips"] *= faster
        outcome["p99_ms"] *= faster * chance.uniform(0.8, 1.2)
        outcome["histogram"]["counts"] = [chance.randrange(1000) for _ in range(48)]
        about = {"job": line["job"], "phase": line["phase"], "number": number}
        about["config"] = dict(line["config"], batch_size=number // 100 + 1, workers=number % 100)
        begun = {**about, "n": n, "t": 1e9 + n, "event": "trial_started", "why": "a soak"}
        done = {"n": n + 1, "t": 1e9 + n + 0.5, "event": "trial_done", "outcome": outcome}
        yield json.dumps(begun)
        yield json.dumps({**about, **done, "best": line["best"]})
        n += 2


@pytest.mark.soak
@pytest.mark.timeout(2 * SECONDS + 300)
def test_ten_thousand_trials_cost_no_more_than_their_figures():
    """Memory grows by the row of each trial and by nothing else, and the last costs as the first.

    Memory counts over the second half, when caches of fixed size, such as Textual's, are full.
    """
    app, _ = make_app(news=[], clock=time.time)
    myself, spent, resident = psutil.Process(), [], []

    async def live():
        async with app.run_test(size=(120, 40)) as pilot:
            record = lines_of_a_long_job()
            app._deliver(happened(json.loads(next(record))))
            readings = telemetry(600)
            app._deliver(*(Readings(message=now) for now in readings))
            for part in range(PARTS):
                began = time.process_time()
                for second in range(60):
                    now = {**readings[60 * part + second], "t": time.time()}
                    app._deliver(Readings(message=now))
                    for _ in range(2 * TRIALS // PARTS // 60):
                        app._deliver(happened(json.loads(next(record))))
                    await pilot.press("j" if second % 2 else "k")
                    await pilot.pause(SECONDS / PARTS / 60)
                spent.append(time.process_time() - began)
                resident.append(myself.memory_info().rss / 1024)
            assert len(app.session.job.trials) > 0.98 * TRIALS

    asyncio.run(live())
    half = PARTS // 2
    grown = (resident[-1] - resident[half - 1]) / (TRIALS * half / PARTS)
    told = "%.2f KiB a trial, resident KiB by part: %s, s of work by part: %s"
    logging.getLogger(__name__).info(told, grown, resident, spent)
    assert grown < MOST_KIB_PER_TRIAL, resident
    assert sum(spent[-3:]) < NOISE * sum(spent[1:4]), spent
