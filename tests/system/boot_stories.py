"""What test_boot.py lets happen inside the booted box: ``boot_stories.py STORY`` prints JSON."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from follower import Follower
from made_profiles import proven

from autotuner import client, store
from autotuner.core.request import TuneRequest, Workload

AUTOTUNE = Path(sys.executable).parent / "autotune"
MODEL = Path("/opt/net.onnx")
UNITS = (
    "autotuned.socket",
    "autotuned.service",
    "autotuner-apply.service",
    "autotuner-resume.service",
)
STATE = Path("/var/lib/autotuner")
GOVERNOR = Path("/sys/devices/system/cpu/cpufreq/policy0/scaling_governor")
SEARCH = TuneRequest(
    workload=Workload(model=str(MODEL)),
    max_latency_ms=10_000.0,
    percentile=50.0,
    confidence=0.5,
    max_seconds=600.0,
    max_trials=12,
    fresh=True,
    dimensions={
        "batch_size": (1, 2, 3, 4, 6, 8, 12, 16),
        "workers": (1, 2),
        "intra_op_threads": (1, 2),
        "affinity": ("none",),
        "power_mode": ("powersave",),
    },
)


def run(*command, **options):
    """Run a command and return what it said."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, **options
    )
    return (done.stdout + done.stderr).strip()


def show(unit, name):
    """Return a property of a unit."""
    return run("systemctl", "show", "--value", f"--property={name}", unit)


def status():
    """Return what the daemon says."""
    return json.loads(run(AUTOTUNE, "status", "--json"))


def install():
    """Install twice, apply a profile for all boots to come."""
    run("systemctl", "enable", "--now", "tlp")
    first = run(AUTOTUNE, "service", "install")
    second = run(AUTOTUNE, "service", "install")
    profile = store.write(proven(MODEL, mode="performance"), Path("/root/profile.yaml"))
    told = {
        "first": first,
        "second": second,
        "rival": run("systemctl", "is-active", "tlp"),
        "enabled": [run("systemctl", "is-enabled", unit) for unit in UNITS],
        "verify": run(
            "systemd-analyze", "verify", "--man=no", *Path("/etc/systemd/system").glob("autotun*")
        ),
        "apply": run(AUTOTUNE, "apply", profile),
    }
    run("systemctl", "enable", "consumer.service")
    for user in ("member", "outsider"):
        run("useradd", user)
    run("usermod", "-aG", "autotuner", "member")
    return told


def look_after_boot():
    """Look at everything that the boot should have done."""
    socket = "/run/autotuner/autotuner.sock"
    ask = (
        "import json; from pathlib import Path; from autotuner import client\n"
        f"import socket; c = socket.socket(socket.AF_UNIX); c.connect({socket!r})\n"
        "print(json.dumps(client.Client(c).status()))"
    )
    return {
        "applied": status()["applied"],
        "apply_unit": run("systemctl", "is-active", "autotuner-apply"),
        "apply_status": show("autotuner-apply", "StatusText"),
        "journal": run("journalctl", "--no-pager", "-b", "-u", "autotuner-apply"),
        "consumer": run("journalctl", "--no-pager", "-b", "-u", "consumer"),
        "after": show("autotuner-apply", "After"),
        "before": show("autotuner-apply", "Before"),
        "outsider": run("runuser", "-u", "outsider", "--", "python3", "-c", ask.split("\n")[1]),
        "member": json.loads(as_member(ask)),
        "resumed": resume(),
    }


def resume():
    """Lose the clocks as in a sleep, let the unit run that runs after one; return the governor."""
    GOVERNOR.write_text("schedutil")
    run("systemctl", "start", "autotuner-resume")
    until_restored_s()
    return governor()


def as_member(code):
    """Run Python code as a member of the group; the folder of this Python may be root's own."""
    uid, gid = int(run("id", "-u", "member")), int(run("id", "-g", "member"))
    groups = [int(number) for number in run("id", "-G", "member").split()]
    return run(sys.executable, "-c", become(uid, gid, groups) + code)


def become(uid, gid, groups):
    """Return code that loads what it needs and then is another user."""
    return (
        f"import os, autotuner.client\nos.setgroups({groups}); os.setgid({gid}); os.setuid({uid})\n"
    )


def look_after_failure():
    """Look at how loud it is that the profile is not in force."""
    return {
        "apply_unit": run("systemctl", "is-active", "autotuner-apply"),
        "system": run("systemctl", "is-system-running", "--wait"),
        "journal": run("journalctl", "--no-pager", "-b", "-u", "autotuner-apply"),
        "daemon": run("systemctl", "is-active", "autotuned"),
    }


def follow(request):
    """Start a search and follow it."""
    with client.connected(STATE) as daemon:
        return Follower(STATE, daemon.submit(request))


def main_pid():
    """Return the daemon's process, once there is one."""
    while not (pid := int(show("autotuned", "MainPID"))):
        time.sleep(0.02)
    return pid


def kill(kills):
    """Kill the daemon so many times, over as many searches as that takes."""
    searches, chance, done, changed, restored_s = [], random.Random(3), 0, 0, []
    while done < kills:
        search = follow(SEARCH)
        searches.append(search)
        while done < kills and search.ending is None:
            if done % 2 and not search.sees_another_trial():
                break
            time.sleep(chance.uniform(0.0, 1.0))
            pid = main_pid()
            changed += governor() != "performance"
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                restored_s.append(until_restored_s())
                done += 1
        search.sees_the_end()
    return {
        "numbers": [search.numbers for search in searches],
        "endings": [getattr(search.ending, "status", str(search.ending)) for search in searches],
        "trials": [[trial.number for trial in search.trials] for search in searches],
        "kills": done,
        "restarts": int(show("autotuned", "NRestarts")),
        "applied": status()["applied"],
        "left": jobs_left(),
        "changed": changed,
        "restored_s": max(restored_s),
    }


def governor():
    """Return the governor in force; the applied profile's is ``performance``."""
    return GOVERNOR.read_text().strip()


def until_restored_s():
    """Return how long it takes until what a killed trial had set is put back."""
    began = time.monotonic()
    while governor() != "performance" and time.monotonic() < began + 20:
        time.sleep(0.005)
    return time.monotonic() - began


def jobs_left():
    """Return the command lines of job processes and workers."""
    found = run("pgrep", "-af", "autotuner.(daemon.job|bench.worker)").splitlines()
    return [line for line in found if "pgrep" not in line]


def hang_and_stop():
    """Let the daemon's loop hang, then tell it to stop in mid-search."""
    override = Path("/etc/systemd/system/autotuned.service.d/quick.conf")
    override.parent.mkdir(exist_ok=True)
    override.write_text("[Service]\nWatchdogSec=1\nTimeoutAbortSec=1\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", "autotuned")
    search = follow(replace(SEARCH, max_trials=500, max_seconds=3600.0))
    search.sees_another_trial()
    os.kill(main_pid(), signal.SIGSTOP)
    search.sees_another_trial()
    began = time.monotonic()
    run("systemctl", "stop", "autotuned.socket", "autotuned.service")
    stop_s = time.monotonic() - began
    left = jobs_left()
    run("systemctl", "start", "autotuned.socket", "autotuned.service")
    with client.connected(STATE) as daemon:
        (job,) = [job for job in daemon.jobs() if job["job"] == search.job]
        daemon.call_off(search.job)
    shutil.rmtree(override.parent)
    return {
        "result": last_failure(),
        "numbers": search.numbers,
        "stop_s": stop_s,
        "left": left,
        "state": job["state"],
    }


def last_failure():
    """Return systemd's word for how the daemon failed."""
    said = run("journalctl", "--no-pager", "-b", "-u", "autotuned")
    return said.rpartition("Failed with result '")[2].partition("'")[0]


def remove():
    """Remove the service and look for what is left."""
    run("systemctl", "disable", "--now", "consumer.service")
    said = run(AUTOTUNE, "service", "remove")
    places = ("/etc", "/run", "/usr/lib/systemd")
    return {
        "said": said,
        "found": run("find", *places, "-name", "*autotun*").splitlines(),
        "group": run("getent", "group", "autotuner"),
    }


STORIES = {
    "install": install,
    "look_after_boot": look_after_boot,
    "look_after_failure": look_after_failure,
    "kill_3": lambda: kill(3),
    "kill_50": lambda: kill(50),
    "hang_and_stop": hang_and_stop,
    "remove": remove,
}

if __name__ == "__main__":
    print(json.dumps(STORIES[sys.argv[1]]()))  # noqa: T201 - the answer
