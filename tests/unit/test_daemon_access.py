from __future__ import annotations

import os
import socket

import pytest

from autotuner.daemon import access
from autotuner.daemon.access import GroupAccess, OwnerAccess, Peer, peer_of

NOBODY = Peer(pid=1, uid=4_000_000, gid=4_000_000)
ROOT = Peer(pid=1, uid=0, gid=0)


def test_the_kernel_tells_who_is_there():
    """The process, its user and its group."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_of(ours) == Peer(pid=os.getpid(), uid=os.getuid(), gid=os.getgid())


def test_a_private_daemon_serves_its_user_and_root():
    """Nobody else may even watch."""
    mine = Peer(pid=1, uid=os.getuid(), gid=4_000_000)
    assert OwnerAccess().levels(mine) == OwnerAccess().levels(ROOT) == set(access.LEVELS)
    assert OwnerAccess().levels(NOBODY) == set()


@pytest.fixture
def member(monkeypatch):
    """Return a peer in the group ``autotuner`` by its supplementary groups."""
    group = type("Group", (), {"gr_gid": 4_000_001})
    monkeypatch.setattr("grp.getgrnam", lambda _name: group)
    peer = Peer(pid=1, uid=4_000_002, gid=4_000_002)
    lists = {"4000002": [4_000_002, 4_000_001]}
    monkeypatch.setattr(os, "getgrouplist", lambda name, gid: lists.get(name, [gid]))
    return peer


def test_the_group_may_do_what_it_is_granted(member):
    """By membership, not by name; all else takes root."""
    granted = GroupAccess(granted={"watch": "group", "submit": "group", "apply": "root"})
    assert granted.levels(member) == {"watch", "submit"}
    assert granted.levels(Peer(pid=1, uid=7, gid=4_000_001)) == {"watch", "submit"}
    assert granted.levels(ROOT) == set(access.LEVELS)


@pytest.mark.usefixtures("member")
def test_outside_the_group_nothing_is_allowed():
    """Not even watching."""
    assert GroupAccess().levels(NOBODY) == set()


def test_without_the_group_only_root_is_served(monkeypatch):
    """As on a box where it was removed."""

    def missing(name):
        raise KeyError(name)

    monkeypatch.setattr("grp.getgrnam", missing)
    assert GroupAccess().levels(Peer(pid=1, uid=1, gid=1)) == set()
    assert GroupAccess().levels(ROOT) == set(access.LEVELS)
