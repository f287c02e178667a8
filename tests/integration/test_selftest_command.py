"""The self-test as it is typed, with its commands really carried out."""

from __future__ import annotations

import json

import pytest

from autotuner import cli
from autotuner.cli import selftest


@pytest.fixture
def home(shared_sandbox, monkeypatch):
    """Let commands that run in this process have the sandbox for a home."""
    for name, value in shared_sandbox.environment.items():
        if name.startswith("AUTOTUNE_"):
            monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("home")
def test_what_every_machine_can_do_is_done(monkeypatch, capsys):
    """A simulated device needs nothing; the exit status says that it did what it should."""
    monkeypatch.setattr(selftest, "PARTS", selftest.PARTS[:1])
    assert cli.run(["doctor", "--selftest", "--json"]) == 0
    (part,) = json.loads(capsys.readouterr().out)["parts"]
    assert part["held"]
    assert part["found"][0].startswith("simulated jetson-orin-nano, ")
