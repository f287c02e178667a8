"""What the options of the search change in the main job, as real processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml


@pytest.fixture(scope="module")
def first(shared_sandbox):
    """Tune for the first configuration within an easy budget, with the front.

    A simulated device will do, because what ends the search is the same.
    """
    options = ("--max-latency", "1s", "--first", "--pareto", "--json")
    done = shared_sandbox.run("inception-v2", "--device", "sim:jetson-orin-nano", *options)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def test_first_goes_to_the_final_round_with_the_first_that_keeps_the_budget(first):
    """It is proven all the same, and is not the baseline."""
    assert first["stopped_because"] == "a configuration within the constraints was found"
    assert first["proven"]
    assert first["config"] != first["baseline"]["config"]
    assert first["trials"] < 6


def test_pareto_keeps_the_front_in_the_profile(first):
    """Each point is later than the one before it or it would not be there."""
    front = yaml.safe_load(Path(first["profile"]).read_text())["front"]
    latencies = [point["measurement"]["p50_ms"] for point in front]
    assert latencies
    assert latencies == sorted(latencies, reverse=True)
