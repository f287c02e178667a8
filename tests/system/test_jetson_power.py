"""Power modes on pretended Jetsons, set by the platform's own ways."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from jetson_rig.rig import Rig
from jetson_rig.stats import python_with_jtop
from rigs import need_programs, need_root

TESTS = Path(__file__).parents[1]
KILLS = 4  # on each of two boards; whole runs are killed in test_jetson_tuning.py

LOOK = """
import json
from autotuner.host.power import offered, open_control
control = open_control(dvfs=True, allow_reboot_modes=True)
print(json.dumps({
    "offered": offered(control),
    "waiting": [mode.name for mode in control.modes() if mode.needs_reboot],
    "said": control.explain(),
}))
"""

BY_JTOP = """
import json, pathlib, sys
from autotuner.host.power import jetson, offered
control = jetson.control(
    pathlib.Path("/"), dvfs=True, allow_reboot_modes=False, pythons=sys.argv[1:]
)
base, reached = control.current(), None
if "15W" in offered(control):
    control.apply("15W", base)
    (reached,) = (v for n, v in control.current().values.items() if n.endswith("gpu/max_freq"))
    assert control.restore(base) == ()
print(json.dumps(
    {"offered": offered(control), "reached": reached, "said": " ".join(control.explain())}
))
"""


@pytest.fixture(scope="module", params=["orin-nano", "agx-orin"])
def rig(request, tmp_path_factory):
    """Return the running rig of a board."""
    need_root()
    need_programs(unshare="util-linux", nsenter="util-linux")
    made = Rig(tmp_path_factory.mktemp(request.param) / "rig")
    made.board = request.param
    made.up(request.param)
    yield made
    made.down()


def test_a_board_offers_its_own_modes(rig):
    """By their names, the present one first; those that need a reboot are for information."""
    looked = rig.run(sys.executable, "-c", LOOK, capture_output=True, check=True)
    found = json.loads(looked.stdout)
    own = {
        "orin-nano": ("25W", {"15W", "MAXN_SUPER", "15W+max", "25W+max"}, ["7W"]),
        "agx-orin": ("MODE_50W", {"MAXN", "MODE_50W+max"}, ["MODE_15W", "MODE_30W"]),
    }
    present, others, waiting = own[rig.board]
    assert found["offered"][0] == present
    assert others < set(found["offered"])
    assert found["waiting"] == waiting
    assert set(waiting).isdisjoint(found["offered"])
    assert any("need a reboot" in sentence for sentence in found["said"])


def test_the_contract_holds_on_the_board(rig):
    """The suite of every power control, run inside."""
    before = rig.settings()
    suite = TESTS / "contract/test_power_control.py"
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--rootdir", TESTS.parent]
    told = rig.run(
        "env", "AUTOTUNE_REAL_POWER=1", sys.executable, "-m", "pytest", *options, suite,
        capture_output=True,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout
    assert "11 passed" in told.stdout
    assert rig.settings() == before


def test_every_value_comes_back_when_the_job_is_killed(rig):
    """At random moments, half of them with the guardian killed too."""
    before = rig.settings()
    program = TESTS / "power_kills.py"
    journal = "/tmp/power-journal.json"
    told = rig.run(sys.executable, program, journal, KILLS, 7, capture_output=True)
    assert told.returncode == 0, told.stdout + told.stderr
    assert len(json.loads(told.stdout)) == KILLS
    assert rig.settings() == before


def test_users_may_do_what_their_rights_allow(tmp_path):
    """Root everything, a member of jtop's group whole modes, others nothing."""
    need_root()
    python = python_with_jtop()
    rig = Rig(tmp_path / "rig")
    rig.up("orin-nano", jtop_python=python)
    try:
        before = rig.settings()
        root, member, guest = (
            json.loads(
                rig.run(
                    sys.executable,
                    "-c",
                    BY_JTOP,
                    python,
                    user=user,
                    capture_output=True,
                    check=True,
                ).stdout
            )
            for user in (None, "edge", "guest")
        )
        assert rig.settings() == before
    finally:
        rig.down()
    assert {"15W+max", "15W"} < set(root["offered"])
    assert root["reached"] == member["reached"] == "612000000"
    assert member["offered"] == ["25W", "15W", "MAXN_SUPER"]
    assert guest["offered"] == ["present"]
    assert "run as root" in guest["said"]
    assert "usermod -aG jtop" in guest["said"]
