"""Two profiles side by side: what they found, and what they hold for."""

from __future__ import annotations

import argparse
import json

from rich.console import Console

from autotuner import store
from autotuner.cli import tables
from autotuner.core.encoding import encode
from autotuner.core.errors import InputError
from autotuner.core.events import Candidate
from autotuner.core.profile import Profile


def compare(kept: store.ProfileStore, chosen: argparse.Namespace) -> int:
    """Show the two profiles that were named and in what they differ."""
    if chosen.name is None or chosen.other is None:
        raise InputError("Say which two: `autotune profiles diff ONE OTHER`.")
    one, other = (store.read(kept.find(name)) for name in (chosen.name, chosen.other))
    changed = _differences(one, other)
    if chosen.json:
        profiles = [encode(profile) for profile in (one, other)]
        document = {"status": "ok", "profiles": profiles, "differences": changed}
        print(json.dumps(document, indent=2))
        return 0
    columns = [(profile.created, _winner(profile)) for profile in (one, other)]
    Console(highlight=False).print(tables.comparison(columns, None))
    for difference in changed:
        print(difference)
    return 0


def _winner(profile: Profile) -> Candidate:
    return Candidate(config=profile.winner.config, measurement=profile.winner.measurement)


def _differences(one: Profile, other: Profile) -> list[str]:
    """Return in what the profiles differ, a sentence each; times and measurements do."""
    found = [
        f"{name}: {getattr(one, name)} and {getattr(other, name)}"
        for name in ("status", "tool_version", "objective", "confidence")
        if getattr(one, name) != getattr(other, name)
    ]
    for name in one.fingerprint.differences(other.fingerprint):
        former, latter = (getattr(p.fingerprint, name) for p in (one, other))
        found.append(f"{name}: {former} and {latter}")
    return found
