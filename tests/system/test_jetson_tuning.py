"""Whole runs on pretended Jetsons: power modes searched, limits kept, every value put back."""

from __future__ import annotations

import json
import random
import shutil
import statistics
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil
import pytest
import rig_runtime
from jetson_rig.rig import Rig
from rigs import need_programs, need_root
from sandbox import QUICK, Sandbox

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

PINNED = ("--batch-size", 4, "--workers", 1, "--threads", 1, "--affinity", "none")
MODES = {
    "orin-nano": {"25W", "15W", "MAXN_SUPER", "25W+max", "15W+max", "MAXN_SUPER+max"},
    "agx-orin": {"MODE_50W", "MAXN", "MODE_50W+max", "MAXN+max"},
}
"""Those that need no reboot."""
LIMITS_W = {"orin-nano": 9.0, "agx-orin": 25.0}


@dataclass(frozen=True, kw_only=True)
class Board:
    """A rig in which the program runs a model by the rig's own runtime."""

    rig: Rig
    sandbox: Sandbox
    model: str

    def start(self, *arguments):
        """Start the command inside."""
        return self.sandbox.start(*arguments, prefix=self.rig.command())

    def ask(self, *arguments):
        """Run the command inside and return its document."""
        done = self.sandbox.run(*arguments, "--json", prefix=self.rig.command(), timeout_s=200)
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    def kill(self):
        """End the command, its daemon, job and workers as ``kill -9`` does; guardians live.

        Return when the first of them was killed; that they are reaped may take longer.
        """
        began_s = None
        while running := [p for p in self.sandbox.processes() if not is_guardian(p)]:
            began_s = began_s or time.monotonic()
            for process in running:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        return began_s


def is_guardian(process):
    """Say whether it waits to restore the power state."""
    try:
        return "autotuner.host.guardian" in process.cmdline()
    except psutil.NoSuchProcess:
        return True  # it needs no killing


@contextmanager
def board(folder, name, model):
    """Run a rig of the board called *name*; nothing but the work of workers loads its GPU."""
    need_root()
    need_programs(unshare="util-linux", nsenter="util-linux")
    sandbox = Sandbox(folder / "home")
    sandbox.home.mkdir()
    inside = shutil.copy(model, sandbox.home)
    rig = Rig(folder / "rig")
    rig.up(name, shared=[sandbox.home])
    try:
        rig.knob("gpu_demand", 0.0)
        rig.at_start(rig_runtime.REGISTER)
        yield Board(rig=rig, sandbox=sandbox, model=inside)
    finally:
        sandbox.kill()
        rig.down()


@dataclass(frozen=True, kw_only=True)
class Told:
    """What was seen of a run: its document, and the settings *before* and *after* it.

    *power_w* is what each mode was measured to draw. Of the *kills*, those that found values
    changed had them back after *restoring_s*.
    """

    name: str
    document: dict
    power_w: dict
    before: set
    after: set
    kills: int
    restoring_s: list


@pytest.fixture(
    scope="module",
    params=[("agx-orin", 0), ("orin-nano", 20)],
    ids=lambda param: f"{param[0]}-{param[1]}-kills",
)
def limited(request, tmp_path_factory, tiny_model):
    """Search below a power limit, killed some times on the way; return what was seen."""
    name, kills = request.param
    with board(tmp_path_factory.mktemp(name), name, tiny_model) as machine:
        goal = ("--max-latency", "1s", "--max-power", f"{LIMITS_W[name]}W")
        command = (machine.model, *goal, *QUICK, *PINNED)
        before = machine.rig.settings()
        restoring_s = restored(machine, command, before, kills)
        document = machine.ask(*command)
        trials = [e for e in machine.sandbox.events() if e["event"] == "trial_done"]
        return Told(
            name=name,
            document=document,
            power_w={
                trial["config"]["power_mode"]: watts
                for trial in trials
                if (watts := trial["outcome"].get("power_w")) is not None
            },
            before=before,
            after=machine.rig.settings(),
            kills=kills,
            restoring_s=restoring_s,
        )


def restored(machine, command, before, times):
    """Start and kill *command* so many *times*; return how long after it all was back, in s.

    The moments are random: from the start on in even rounds, from the first change of a setting on
    in odd ones. A kill that came before any change is not in the list.
    """
    chance, took_s = random.Random(5), []
    journal = machine.sandbox.state / "trial-power.json"
    for number in range(times):
        running = machine.start(*command)
        while number % 2 and not journal.exists():
            assert running.poll() is None, running.communicate()
            time.sleep(0.01)
        time.sleep(chance.uniform(0.0, 2.0 if number % 2 else 4.0))
        changed, began_s = machine.rig.settings() != before, machine.kill()
        while machine.rig.settings() != before:
            assert time.monotonic() - began_s < 30.0, machine.rig.settings() ^ before
        if changed:
            took_s.append(time.monotonic() - began_s)
        running.communicate()
    return took_s


def test_power_modes_are_searched(limited):
    """As many as are worth it, of those that the board has."""
    assert limited.power_w.keys() <= MODES[limited.name]
    assert len(limited.power_w) >= 3


def test_the_winner_obeys_the_power_limit(limited):
    """It is proven, and there are modes that break the limit."""
    found, limit_w = limited.document, LIMITS_W[limited.name]
    assert (found["status"], found["proven"]) == ("ok", True)
    assert f"power_w <= {limit_w:g}" in found["objective"]
    assert found["measurement"]["power_w"] <= limit_w < max(limited.power_w.values())


def test_every_value_is_as_it_was(limited):
    """Below ``/sys``, and the number of nvpmodel's mode."""
    assert limited.after == limited.before


def test_every_value_is_soon_back_after_a_kill(limited):
    """The guardian restores within a second, as a rule: the box may be busy."""
    assert len(limited.restoring_s) >= limited.kills // 4
    assert not limited.kills or statistics.median(limited.restoring_s) <= 1.0


def test_the_search_finds_the_mode_that_measuring_each_one_finds(tmp_path, tiny_model):
    """That with the least energy for an inference; who names no mode measures the present one."""
    with board(tmp_path, "orin-nano", tiny_model) as machine:
        machine.rig.knob("cpu_util", 0.4)  # so that pinned clocks cost more than figures vary
        found = machine.ask(machine.model, "--objective", "energy", *QUICK, *PINNED)
        energy_j = {}
        for mode in sorted(MODES["orin-nano"]):
            named = () if mode == "25W" else ("--power-mode", mode)
            one = machine.ask("measure", machine.model, *PINNED, *named, "--seconds", 1)
            energy_j[one["config"]["power_mode"]] = one["measurement"]["energy_j"]
    assert energy_j.keys() == MODES["orin-nano"]
    assert found["config"]["power_mode"] == min(energy_j, key=energy_j.get), energy_j
    assert 0.0 < found["measurement"]["energy_net_j"] < found["measurement"]["energy_j"]
