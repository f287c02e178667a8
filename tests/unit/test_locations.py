from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from autotuner import locations
from autotuner.core.errors import StateError


@pytest.fixture
def tmp_path():
    """Make a folder whose path leaves room for that of a socket, wherever pytest has its own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def plain_user(monkeypatch, tmp_path):
    """Be an ordinary user with a home and nothing set."""
    for name in (
        "AUTOTUNE_STATE_DIR",
        "AUTOTUNE_CACHE_DIR",
        "AUTOTUNE_LOCK",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "XDG_RUNTIME_DIR",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))


def test_a_user_keeps_state_and_cache_at_home(tmp_path):
    """Where the XDG base directory specification wants them."""
    assert locations.state_dir() == tmp_path / ".local/state/autotuner"
    assert locations.cache_dir() == tmp_path / ".cache/autotuner"


def test_the_xdg_folders_win_over_home(monkeypatch):
    """A user may have moved them."""
    monkeypatch.setenv("XDG_STATE_HOME", "/elsewhere/state")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere/cache")
    assert locations.state_dir() == Path("/elsewhere/state/autotuner")
    assert locations.cache_dir() == Path("/elsewhere/cache/autotuner")


def test_root_keeps_them_where_services_do(monkeypatch):
    """Whatever root's environment says of XDG."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("XDG_STATE_HOME", "/elsewhere")
    assert locations.state_dir() == Path("/var/lib/autotuner")
    assert locations.cache_dir() == Path("/var/cache/autotuner")


@pytest.mark.parametrize("uid", [0, 1000])
def test_our_own_variables_win_over_everything(monkeypatch, uid):
    """For root and users alike, and always as absolute paths."""
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setenv("AUTOTUNE_STATE_DIR", "/a")
    monkeypatch.setenv("AUTOTUNE_CACHE_DIR", "here")
    assert locations.state_dir() == Path("/a")
    assert locations.cache_dir() == Path.cwd() / "here"


def test_the_lock_is_one_for_the_whole_machine(monkeypatch):
    """It does not depend on the user, and a test may have its own."""
    assert locations.lock_file() in {
        Path("/run/lock/autotuner.lock"),
        Path("/tmp/autotuner.lock"),
    }
    monkeypatch.setenv("AUTOTUNE_LOCK", "/a/lock")
    assert locations.lock_file() == Path("/a/lock")


def test_a_private_socket_lies_in_the_runtime_folder(monkeypatch, tmp_path):
    """The folder is made for this user alone."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    socket = locations.private_socket(tmp_path / "state")
    assert socket.parent == tmp_path / "autotuner"
    assert socket.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("runtime", [None, "/nowhere/to/be/found"])
def test_without_a_runtime_folder_it_lies_in_a_temporary_one(monkeypatch, tmp_path, runtime):
    """Also when the variable points to a folder that is not there."""
    if runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    socket = locations.private_socket(tmp_path / "state")
    assert socket.parent == tmp_path / "tmp" / f"autotuner-{os.getuid()}"


def test_every_state_folder_has_its_own_socket(tmp_path):
    """The same folder always has the same one."""
    first = locations.private_socket(tmp_path / "a")
    assert first == locations.private_socket(tmp_path / "a")
    assert first != locations.private_socket(tmp_path / "b")


@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_path_too_long_for_a_socket_is_not_used(monkeypatch, tmp_path, letter):
    """A socket address holds 108 bytes, not characters; the next folder is tried."""
    long = tmp_path / (letter * 75 if letter == "x" else letter * 38)
    long.mkdir()
    assert os.path.realpath(tmp_path) == str(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    monkeypatch.setattr(locations, "make_private", lambda _: None)
    assert locations.private_socket(tmp_path).parent == Path(f"/tmp/autotuner-{os.getuid()}")


def test_when_every_path_is_too_long_the_message_says_what_to_set(monkeypatch, tmp_path):
    """There is a way out."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("x" * 100)))
    with pytest.raises(StateError, match="set XDG_RUNTIME_DIR"):
        locations.private_socket(tmp_path)


def test_a_private_folder_that_is_ours_is_used_again(tmp_path):
    """Making it twice does no harm."""
    locations.make_private(tmp_path / "mine")
    locations.make_private(tmp_path / "mine")


def test_a_folder_that_others_may_enter_is_refused(tmp_path):
    """Somebody could have put a socket of theirs there."""
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(StateError, match="open to others; remove it"):
        locations.make_private(tmp_path / "open")


def test_a_folder_of_somebody_else_is_refused(monkeypatch, tmp_path):
    """A folder in a shared place may have been made by an attacker first."""
    (tmp_path / "theirs").mkdir(mode=0o700)
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    with pytest.raises(StateError, match="belongs to somebody else"):
        locations.make_private(tmp_path / "theirs")


@pytest.mark.parametrize("kind", ["link", "dangling link", "file"])
def test_what_is_no_folder_is_refused(tmp_path, kind):
    """A link could lead anywhere, also one that leads nowhere yet."""
    place, target = tmp_path / "place", tmp_path / "target"
    if kind == "file":
        place.touch(mode=0o600)
    else:
        place.symlink_to(target)
    if kind == "link":
        target.mkdir(mode=0o700)
    with pytest.raises(StateError, match="remove it"):
        locations.make_private(place)


def test_a_folder_is_made_with_its_parents(tmp_path):
    """Nothing is left in it by the trial."""
    made = locations.make_folder(tmp_path / "a/b")
    assert list(made.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error_that_names_the_way_out(tmp_path):
    """The two variables that move the folders are in the message."""
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="AUTOTUNE_STATE_DIR and cache folder with AUTOTUNE_CACHE"):
        locations.make_folder(tmp_path / "file" / "state")
