"""The namespace: made, entered, and its first process."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from jetson_rig import files, plant, tools
from jetson_rig.boards import BOARDS
from jetson_rig.files import COMMAND, EMC, KNOBS, PROCESSES, Tree
from jetson_rig.tree import lay_out

USERS = {"edge": 1500, "guest": 1501}
"""Users without rights; the first is in jtop's group."""
_GROUP = 990
_MOST_PROCESSES = 4096
_POLL_S = 0.1
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_RIG = [sys.executable, "-ES", "/opt/rig/rig.py"]
_CPU_TEXT = """model name\t: ARMv8 Processor rev 1 (v8l)
BogoMIPS\t: 62.50
Features\t: fp asimd aes sha1 sha2 crc32 atomics fphp asimdhp asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd42
CPU revision\t: 1
"""


def make(folder, name, shared):
    """Build the root of the board called *name* in *folder* and make it this process' root."""
    board = BOARDS[name]
    _mount("-t", "tmpfs", "rig", folder)
    for part in ("upper", "work", "root"):
        (folder / part).mkdir()
    root = folder / "root"
    layers = f"lowerdir=/,upperdir={folder}/upper,workdir={folder}/work"
    _mount("-t", "overlay", "rig", "-o", layers, root)
    _mount("--rbind", "/dev", root / "dev")
    for own in ("sys", "run", "proc"):
        _mount("-t", "tmpfs", "-o", "mode=755", "rig", root / own)
    (root / PROCESSES.lstrip("/")).mkdir()
    _mount("-t", "proc", "proc", root / PROCESSES.lstrip("/"))
    for path in shared:
        _mount("--bind", path, root / str(path).lstrip("/"))
    tree = Tree(root)
    lay_out(tree, name, board)
    _mount("--rbind", "/sys/fs/cgroup", root / "sys/fs/cgroup")
    shutil.copytree(Path(__file__).parent, root / "opt/rig/jetson_rig")
    _processes(tree, board)
    _users(root)
    os.chroot(root)
    os.chdir("/")


def _mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


def _processes(tree, board):
    """Fill ``/proc`` with links into the real one: it alone cannot hold files of ours."""
    own = ("stat", "cpuinfo", "meminfo")
    for entry in tree.path(PROCESSES).iterdir():
        if not entry.name.isdigit() and entry.name not in own:
            tree.link(f"/proc/{entry.name}", f"{PROCESSES}/{entry.name}")
    for number in range(1, _MOST_PROCESSES + 1):
        tree.link(f"/proc/{number}", f"{PROCESSES}/{number}")
    cpus = "\n".join(f"processor\t: {cpu}\n{_CPU_TEXT}" for cpu in range(board.cores))
    tree.put("/proc/cpuinfo", cpus)
    tree.put("/proc/stat", "cpu  1 0 0 1 0 0 0 0 0 0\n")
    tree.put("/proc/meminfo", Path("/proc/meminfo").read_text())
    tree.link("/proc/device-tree", "/sys/firmware/devicetree/base")


def _users(root):
    groups = [f"jtop:x:{_GROUP}:edge", *(f"{name}:x:{number}:" for name, number in USERS.items())]
    names = [f"{name}:x:{number}:{number}::/tmp:/bin/sh" for name, number in USERS.items()]
    for file, lines in (("group", groups), ("passwd", names)):
        with (root / "etc" / file).open("a") as opened:
            opened.write("\n".join(lines) + "\n")
    for parent in Path(sys.executable).resolve().parents[:-1]:  # theirs to read, too
        shown = root / str(parent).lstrip("/")
        shown.chmod(shown.stat().st_mode | 0o055)


class Init:
    """The namespace's first process: keeps the plant and jtop's service, obeys commands."""

    def __init__(self, name, python):
        self._tree = Tree()
        self._board = BOARDS[name]
        self._python = python
        self._service = None

    def run(self):
        """Boot, then obey for ever."""
        os.environ.update(PYTHONPATH="/opt/rig/site", PATH=_PATH, HOME="/root")
        log = Path(KNOBS, "plant.log").open("w")  # noqa: SIM115 - as long as the rig
        subprocess.Popen([*_RIG, "plant"], stdout=log, stderr=log)
        self._boot(self._board.default)
        while "cpu0" not in self._tree.get("/proc/stat"):  # the plant's first tick
            time.sleep(_POLL_S)
        if self._python is not None:
            self._start()
        self._tree.put(COMMAND, "")
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        while True:
            time.sleep(_POLL_S)
            if command := self._tree.get(COMMAND):
                getattr(self, f"_{command}")()
                self._tree.path(COMMAND).write_text("")
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass

    def _boot(self, number):
        """Apply a mode as the boot service does."""
        subprocess.run([*_RIG, "nvpmodel", "-m", str(number), "--boot"], check=True)

    def _start(self):
        log = Path(KNOBS, "jtop.log").open("a")  # noqa: SIM115 - as long as the service
        self._service = subprocess.Popen(
            [self._python, "-m", "jtop", "--force"],
            env={**os.environ, "JTOP_SERVICE": "True"},
            stdout=log,
            stderr=log,
        )

    def _stop(self):
        if self._service is not None:
            self._service.terminate()
            self._service.wait()
            self._service = None

    def _suspend(self):
        """Let the service hang, with its children."""
        for process in self._family():
            os.kill(process, signal.SIGSTOP)

    def _resume(self):
        for process in self._family():
            os.kill(process, signal.SIGCONT)

    def _family(self):
        listed = ["ps", "-o", "pid=", "--ppid", str(self._service.pid)]
        children = subprocess.run(listed, capture_output=True, text=True, check=False).stdout
        return [self._service.pid, *map(int, children.split())]

    def _reboot(self):
        """Forget what a reboot forgets and apply the mode that nvpmodel was last asked for."""
        self._stop()
        self._tree.put(f"{EMC}/mrq_rate_locked", 0)
        for name in tools.pinned_files(self._board):
            if name.endswith("disable"):
                self._tree.put(name, 0)
        self._boot(int(re.search(r"pmode:(\d+)", self._tree.get(files.STATUS))[1]))
        if self._python is not None:
            self._start()


def main():
    """Do what the first argument says, inside of the namespace."""
    what, *arguments = sys.argv[1:]
    if what == "plant":
        tree = Tree()
        plant.run(tree, BOARDS[tree.get(files.BOARD)])
    elif what in ("nvpmodel", "jetson_clocks"):
        sys.exit(getattr(tools, what)(arguments))
    else:
        folder, board, python, *shared = arguments
        make(Path(folder), board, shared)
        Init(board, python if python != "-" else None).run()
