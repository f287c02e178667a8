"""Who is on the other side of a connection, and what they may do."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Level = Literal["watch", "submit", "apply"]
"""What a caller must be allowed to do; each is granted on its own."""

LEVELS: tuple[Level, ...] = ("watch", "submit", "apply")
GROUP = "autotuner"

_UCRED = struct.Struct("3i")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The process on the other side, as the kernel knows it; no message can change that."""

    pid: int
    uid: int
    gid: int

    @property
    def name(self) -> str:
        """The user's name, or the number where there is none."""
        import pwd  # noqa: PLC0415 - it reads the user database

        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)


def peer_of(connection: socket.socket) -> Peer:
    """Return who opened *connection* (unix(7), SO_PEERCRED)."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, gid = _UCRED.unpack(found)
    return Peer(pid=pid, uid=uid, gid=gid)


class Access(Protocol):
    """Decides what a peer may do."""

    def levels(self, peer: Peer) -> frozenset[Level]:
        """Return everything that *peer* may do."""


class OwnerAccess:
    """The daemon's own user and root may do everything, nobody else anything."""

    def levels(self, peer: Peer) -> frozenset[Level]:
        """Return all levels or none."""
        return frozenset(LEVELS if peer.uid in {0, os.getuid()} else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAccess:
    """Root may do everything, the members of *group* what *granted* gives to the group."""

    granted: Mapping[Level, Literal["root", "group"]] = field(
        default_factory=lambda: dict.fromkeys(LEVELS, "group")
    )
    group: str = GROUP

    def levels(self, peer: Peer) -> frozenset[Level]:
        """Ask the user database anew each time: membership may have changed."""
        if peer.uid == 0:
            return frozenset(LEVELS)
        if not self._is_member(peer):
            return frozenset()
        return frozenset(level for level in LEVELS if self.granted.get(level) == "group")

    def _is_member(self, peer: Peer) -> bool:
        import grp  # noqa: PLC0415 - it reads the user database

        try:
            gid = grp.getgrnam(self.group).gr_gid
            return peer.gid == gid or gid in os.getgrouplist(peer.name, peer.gid)
        except KeyError:
            return False
