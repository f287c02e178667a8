"""The verb ``export``: a profile as the files that other tools read."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from autotuner import durable, export, locations, store
from autotuner.core.deployable import reasons_to_refuse
from autotuner.core.errors import InputError, StateError
from autotuner.core.profile import Profile


def run(chosen: argparse.Namespace) -> int:
    """Write the files of one export and say which."""
    kept = store.ProfileStore(locations.state_dir() / "profiles")
    profile = store.read(kept.find(chosen.name))
    reasons = reasons_to_refuse(profile)
    if reasons and not chosen.force:
        raise InputError(
            f"The profile {profile.name} is not fit for use: {'; '.join(reasons)}. "
            "Tune again, or write it all the same with --force."
        )
    written = _write(profile, chosen)
    if chosen.json:
        document = {"status": "ok", "to": chosen.to, "files": [str(path) for path in written]}
        print(json.dumps({**document, "warnings": list(reasons)}, indent=2))
        return 0
    for reason in reasons:
        print(f"autotune: warning: {reason}", file=sys.stderr)
    for path in written:
        print(f"Wrote {path}")
    return 0


def _write(profile: Profile, chosen: argparse.Namespace) -> list[Path]:
    folder = Path(chosen.out).absolute()
    texts = {folder / name: text for name, text in export.files(profile, chosen.to).items()}
    there = [str(path) for path in texts if path.exists()]
    if there and not chosen.force:
        raise InputError(
            f"{', '.join(there)} is there already; write over it with --force "
            "or choose another --out."
        )
    for path, text in texts.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            durable.write(path, text.encode())
        except OSError as error:
            raise StateError(
                f"{path} cannot be written: {error.strerror}; choose another --out."
            ) from error
    return list(texts)
