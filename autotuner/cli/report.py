"""The verbs ``characterize``, ``report`` and ``compare``: findings as files that people read."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from autotuner import client, durable, locations, store
from autotuner.cli import endings, jobs
from autotuner.cli.findings import document
from autotuner.cli.progress import follow
from autotuner.cli.sweep_options import characterize_request
from autotuner.core.encoding import decode
from autotuner.core.errors import InputError, StateError
from autotuner.core.events import CharacterizeDone, Ending, RecallDone
from autotuner.core.layer_profile import LayerProfile
from autotuner.core.partition import Partition
from autotuner.core.request import RecallRequest
from autotuner.core.sweep import SCHEMA, Sweep
from autotuner.report import report as reports
from autotuner.report.report import Finding

_KINDS = {"sweep": Sweep, "profile": LayerProfile, "partition": Partition}
"""What a document may hold, by the key it stands under."""


def characterize(chosen: argparse.Namespace) -> int:
    """Carry out a sweep and write what it found."""
    console = Console(stderr=chosen.json, highlight=False)
    with client.connected(locations.state_dir()) as daemon:
        job = daemon.submit(characterize_request(chosen), chosen.priority)
        if chosen.detach:
            return jobs.detach(job, as_json=chosen.json)
        ending = follow(daemon, job, console)
    if isinstance(ending, CharacterizeDone):
        folder = Path(chosen.out)
        found = json.dumps(document(ending), indent=1).encode()
        written = _write(folder, {"sweep.json": found})  # what was measured stays, whatever comes
        written += _write(folder, _report([ending.sweep]))
        console.print(f"Wrote {len(written)} files, among them {folder / 'report.html'}")
    return endings.conclude(ending, console, as_json=chosen.json, debug=chosen.debug)


def report(chosen: argparse.Namespace) -> int:
    """Write one report of what the files hold and of the tuning runs that profiles name."""
    console = Console(stderr=True, highlight=False)
    findings: list[Finding] = []
    for name in chosen.files:
        profile = _profile(name)
        if profile is None:
            findings.append(_read(Path(name)))
            continue
        ending = _recalled(profile, chosen.storage, console)
        if not isinstance(ending, RecallDone):
            return endings.conclude(ending, console, as_json=chosen.json, debug=chosen.debug)
        findings.append(ending.run)
    written = _write(Path(chosen.out), _report(findings))
    if chosen.json:
        print(json.dumps({"status": "ok", "files": list(map(str, written))}, indent=2))
    else:
        for path in written:
            print(f"Wrote {path}")
    return 0


def _profile(name: str) -> Path | None:
    """Return the profile that *name* stands for, None where it is a file of another kind."""
    path = Path(name)
    if path.exists():
        return path if path.suffix in {".yaml", ".yml"} else None
    kept = store.ProfileStore(locations.state_dir() / "profiles")
    return kept.find(name) if any(p.stem.startswith(name) for p in kept.paths()) else None


def _recalled(profile: Path, storage: str | None, console: Console) -> Ending:
    """Ask for everything that was measured for *profile*."""
    request = RecallRequest(profile=str(profile.absolute()), storage=storage)
    with client.connected(locations.state_dir()) as daemon:
        return follow(daemon, daemon.submit(request), console)


def _report(findings: Sequence[Finding]) -> dict[str, bytes]:
    names: list[str] = []
    for found in findings:
        if isinstance(found, Sweep):
            names += [point.model for point in found.points]
        else:
            names.append(found.model)
    return reports.files(f"edge-autotune: {', '.join(dict.fromkeys(names))}", findings)


def _read(path: Path) -> Finding:
    """Return what the JSON document at *path* holds; raises InputError."""
    path = path / "sweep.json" if path.is_dir() else path
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{path} is no JSON document of this tool.") from error
    for key, kind in _KINDS.items():
        if isinstance(data, dict) and isinstance(data.get(key), dict):
            if data[key].get("schema", SCHEMA) > SCHEMA:
                raise InputError(f"{path} was written by a newer version; install that.")
            finding: Finding = decode(kind, data[key], where=str(path))
            return finding
    raise InputError(
        f"{path} holds no findings; make it with `autotune characterize`, or with --json of "
        "`autotune layers` or `autotune partition`, or name a profile."
    )


def _write(folder: Path, content: dict[str, bytes]) -> list[Path]:
    locations.make_folder(folder)
    paths = [folder / name for name in content]
    for path, data in zip(paths, content.values(), strict=True):
        try:
            durable.write(path, data)
        except OSError as error:
            raise StateError(
                f"{path} cannot be written: {error.strerror}; choose another --out."
            ) from error
    return paths
