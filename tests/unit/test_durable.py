from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from autotuner import durable


@pytest.mark.parametrize("content", [b"", b"new", b"\x00\xff" * 5000])
def test_the_file_holds_what_was_written(tmp_path, content):
    """Whether it is new or replaces another, and nothing else is left in its folder."""
    file = tmp_path / "file"
    for _ in range(2):
        durable.write(file, content)
        assert file.read_bytes() == content
        assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_the_file_has_the_mode_that_was_asked_for(tmp_path, mode):
    """Not the private one of temporary files."""
    durable.write(tmp_path / "file", b"new", mode=mode)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("step", ["fsync", "fchmod"])
def test_a_write_that_fails_leaves_the_old_file(monkeypatch, tmp_path, step):
    """A full disk costs nothing that was there, and no temporary file stays."""

    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = tmp_path / "file"
    durable.write(file, b"old")
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        durable.write(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_missing_folder_is_an_error(tmp_path):
    """It is not made: that is the caller's decision."""
    with pytest.raises(FileNotFoundError):
        durable.write(tmp_path / "nowhere" / "file", b"new")
    assert list(tmp_path.iterdir()) == []


def test_the_content_is_on_the_disk_before_the_name(monkeypatch, tmp_path):
    """After a power cut at any moment the name leads to the old content or the whole new one."""
    steps = []
    fsync, replace = os.fsync, Path.replace

    def kind(handle):
        return "folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "file"

    monkeypatch.setattr(os, "fsync", lambda h: (steps.append(f"fsync {kind(h)}"), fsync(h)))
    monkeypatch.setattr(
        Path, "replace", lambda path, to: (steps.append("rename"), replace(path, to))
    )
    durable.write(tmp_path / "file", b"new")
    assert steps == ["fsync file", "rename", "fsync folder"]


def test_a_temporary_file_does_not_look_like_the_real_one(monkeypatch, tmp_path):
    """Whoever lists the folder by suffix while a write is under way sees whole files only."""
    seen = []
    replace = Path.replace

    def look(path, to):
        seen.extend([path.name, *tmp_path.glob("*.yaml")])
        return replace(path, to)

    monkeypatch.setattr(Path, "replace", look)
    durable.write(tmp_path / "profile.yaml", b"new")
    (name,) = seen
    assert name.startswith(".")
    assert not name.endswith(".yaml")
