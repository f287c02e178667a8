"""The verbs ``characterize``, ``report`` and ``compare``: findings as files that people read."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from autotuner import client, durable, locations
from autotuner.cli import endings, jobs
from autotuner.cli.findings import document
from autotuner.cli.progress import follow
from autotuner.cli.sweep_options import characterize_request
from autotuner.core.encoding import decode
from autotuner.core.errors import InputError, StateError
from autotuner.core.events import CharacterizeDone
from autotuner.core.layer_profile import LayerProfile
from autotuner.core.partition import Partition
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
    """Write one report of what the files hold."""
    findings = [_read(Path(name)) for name in chosen.files]
    written = _write(Path(chosen.out), _report(findings))
    if chosen.json:
        print(json.dumps({"status": "ok", "files": list(map(str, written))}, indent=2))
    else:
        for path in written:
            print(f"Wrote {path}")
    return 0


def _report(findings: Sequence[Finding]) -> dict[str, bytes]:
    names = dict.fromkeys(
        point.model for found in findings if isinstance(found, Sweep) for point in found.points
    ) or dict.fromkeys(found.model for found in findings if not isinstance(found, Sweep))
    return reports.files(f"edge-autotune: {', '.join(names)}", findings)


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
        "`autotune layers` or `autotune partition`."
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
