"""A pretended ``/sys`` that answers writes as the kernel does, and fails on demand."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import subprocess
import threading
import time
from pathlib import Path

import mfusepy

_UNPARSABLE = ValueError


class FuseSysfs(mfusepy.Operations):
    """*files* by name, mounted at a folder by ``mounted``; *writes* are those that were accepted.

    *faults* make writing a file fail with an error number, so many times as the second number
    says; *ceilings* clamp silently what is written, as often; files in *hidden* have vanished.
    """

    use_ns = True

    def __init__(self, files):
        self.files = dict(files)
        self.writes = []
        self.faults = {}
        self.ceilings = {}
        self.hidden = set()
        self.read_only = set()

    def getattr(self, path, fh=None):  # noqa: ARG002 - the library's signature
        """Tell folders from files."""
        if path in self.files and path not in self.hidden:
            mode = stat.S_IFREG | (0o444 if path in self.read_only else 0o644)
            return {"st_mode": mode, "st_nlink": 1, "st_size": 4096}
        if path == "/" or any(name.startswith(f"{path}/") for name in self.files):
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        raise mfusepy.FuseOSError(errno.ENOENT)

    def readdir(self, path, fh):  # noqa: ARG002 - the library's signature
        """List what is directly below *path*."""
        prefix = path.rstrip("/") + "/"
        names = {n[len(prefix) :].split("/")[0] for n in self.files if n.startswith(prefix)}
        return [".", "..", *sorted(names)]

    def read(self, path, size, offset, fh):  # noqa: ARG002 - the library's signature
        """Return a value with its line feed."""
        if path in self.hidden:
            raise mfusepy.FuseOSError(errno.ENODEV)
        return f"{self.files[path]}\n".encode()[offset : offset + size]

    def truncate(self, path, length, fh=None):
        """Do nothing, as sysfs does."""

    def access(self, path, mode):
        """Deny writing what is read-only, also to root."""
        if path in self.read_only and mode & os.W_OK:
            raise mfusepy.FuseOSError(errno.EROFS)
        return 0

    def open(self, path, flags):
        """Refuse what has vanished; root may open the rest."""
        if path in self.hidden:
            raise mfusepy.FuseOSError(errno.ENOENT)
        if path in self.read_only and flags & (os.O_WRONLY | os.O_RDWR):
            raise mfusepy.FuseOSError(errno.EROFS)
        return 0

    def write(self, path, data, offset, fh):  # noqa: ARG002 - the library's signature
        """Keep what the kernel would make of *data*, or fail as told."""
        number, times = self.faults.get(path, (0, 0))
        if number and times:
            self.faults[path] = (number, times - 1)
            raise mfusepy.FuseOSError(number)
        try:
            value = self._kept(path, data.decode().strip())
        except _UNPARSABLE as error:
            raise mfusepy.FuseOSError(errno.EINVAL) from error
        self.writes.append((path, value))
        self.files[path] = value
        self._follow(Path(path))
        return len(data)

    def _kept(self, path, value):
        """Return what reads back (cpufreq_store, cpufreq_frequency_table_verify)."""
        folder, _, file = path.rpartition("/")
        if file == "scaling_governor":
            if value not in self.files[f"{folder}/scaling_available_governors"].split():
                raise _UNPARSABLE
            return value
        table = [
            int(f) for f in self.files.get(f"{folder}/scaling_available_frequencies", "").split()
        ]
        if not table or file not in ("scaling_min_freq", "scaling_max_freq"):
            return str(int(value)) if file in ("min_freq", "max_freq") else value
        ceiling, times = self.ceilings.get(path, (table[-1], 0))
        limit = min(int(value), ceiling if times else table[-1])
        self.ceilings[path] = (ceiling, times - 1)
        if file == "scaling_max_freq":
            return str(max((f for f in table if f <= limit), default=table[0]))
        most = int(self.files[f"{folder}/scaling_max_freq"])
        return str(min((f for f in table if f >= min(limit, most)), default=table[-1]))

    def _follow(self, path):
        """Let the clock keep its limits."""
        for prefix, clock in (("scaling_", "scaling_cur_freq"), ("", "cur_freq")):
            low, high = (str(path.with_name(f"{prefix}{end}_freq")) for end in ("min", "max"))
            if str(path) in (low, high):
                now = int(self.files[str(path.with_name(clock))])
                kept = min(max(now, int(self.files[low])), int(self.files[high]))
                self.files[str(path.with_name(clock))] = str(kept)


@contextlib.contextmanager
def mounted(sysfs, folder):
    """Mount *sysfs* at *folder* for the body."""
    server = threading.Thread(
        target=mfusepy.FUSE,
        args=(sysfs, str(folder)),
        kwargs={
            "foreground": True,
            "nothreads": True,
            "direct_io": True,
            "attr_timeout": 0,
            "entry_timeout": 0,
            "default_permissions": False,
        },
        daemon=True,
    )
    server.start()
    deadline = time.monotonic() + 10
    while not os.path.ismount(folder) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert os.path.ismount(folder), "the pretended /sys was not mounted"
    try:
        yield folder
    finally:
        subprocess.run(["fusermount3", "-u", "-z", str(folder)], check=True)
        # Somebody's copy of the mount, in a namespace of theirs, may keep the server for longer.
        server.join(timeout=0.5)
