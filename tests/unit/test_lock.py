from __future__ import annotations

import os
import subprocess
import sys

import pytest

from autotuner.core.errors import StateError
from autotuner.lock import HostLock

# The kernel counts locks by open file, so two of them in one process behave as two processes do.


def test_only_one_holds_it(tmp_path):
    """The second one is told no, without waiting."""
    with HostLock(tmp_path / "lock") as first, HostLock(tmp_path / "lock") as second:
        assert first.acquire()
        assert not second.acquire()


def test_the_next_one_gets_it_afterwards(tmp_path):
    """The end of the block lets go."""
    with HostLock(tmp_path / "lock") as first:
        assert first.acquire()
    with HostLock(tmp_path / "lock") as second:
        assert second.acquire()


def test_asking_twice_does_no_harm(tmp_path):
    """Who holds it holds it still."""
    with HostLock(tmp_path / "lock") as lock:
        assert lock.acquire()
        assert lock.acquire()


def test_it_says_who_holds_it(tmp_path):
    """So that a person can look what the box is busy with."""
    path = tmp_path / "lock"
    path.write_text("99999999 and more")  # left behind by somebody
    with HostLock(path) as first, HostLock(path) as second:
        assert first.acquire()
        assert second.holder == str(os.getpid())


def test_nobody_is_named_before_anybody_took_it(tmp_path):
    """A new lock has no holder to name."""
    with HostLock(tmp_path / "lock") as lock:
        assert lock.holder == "unknown"


def test_everybody_on_the_box_may_take_it(tmp_path):
    """Whoever measures next may be another user, whatever the umask of the first one."""
    former = os.umask(0o077)
    try:
        with HostLock(tmp_path / "lock"):
            pass
    finally:
        os.umask(former)
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o666


def test_it_is_not_handed_down_to_child_processes(tmp_path):
    """A worker that outlives its job must not keep the box."""
    with HostLock(tmp_path / "lock") as lock:
        assert lock.acquire()
        listing = "import os; print(*[os.readlink(f'/proc/self/fd/{n}') for n in range(3, 20)"
        listing += " if os.path.lexists(f'/proc/self/fd/{n}')])"
        child = [sys.executable, "-c", listing]
        done = subprocess.run(child, close_fds=False, capture_output=True, text=True, check=True)
    assert str(tmp_path / "lock") not in done.stdout


@pytest.mark.parametrize("kind", ["folder", "no folder", "link", "dangling link"])
def test_a_lock_that_cannot_be_used_is_an_error_with_a_way_out(tmp_path, kind):
    """The message names the file and the variable that moves it."""
    path = tmp_path / "lock"
    if kind == "folder":
        path.mkdir()
    elif kind == "no folder":
        path = path / "lock"
    else:
        path.symlink_to(tmp_path / "precious")
    if kind == "link":
        (tmp_path / "precious").write_text("precious")
    with pytest.raises(StateError, match=r"lock.*choose another with AUTOTUNE_LOCK"):
        HostLock(path)
    assert kind != "link" or (tmp_path / "precious").read_text() == "precious"
