"""What each verb does; all that needs a model or a measurement is the daemon's work."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console

from autotuner import client, locations, store
from autotuner.cli import (
    capacity,
    comparing,
    configuration,
    doctor,
    endings,
    export,
    instruments,
    jobs,
    options,
    record,
    report,
    selecting,
    service,
    tables,
    terminal,
    tune_options,
)
from autotuner.cli.progress import follow
from autotuner.core.encoding import encode
from autotuner.core.errors import InputError, StateError
from autotuner.core.request import Request, VerifyRequest


def _tune(chosen: argparse.Namespace) -> int:
    return _carry_out(tune_options.tune_request(chosen), chosen)


def _measure(chosen: argparse.Namespace) -> int:
    return _carry_out(options.measure_request(chosen), chosen)


def _verify(chosen: argparse.Namespace) -> int:
    path = _kept().find(chosen.name)
    request = VerifyRequest(profile=str(path.absolute()), loadgen=chosen.loadgen)
    return _carry_out(request, chosen)


def _record(chosen: argparse.Namespace) -> int:
    return _carry_out(record.request(chosen), chosen)


def _asking(
    build: Callable[[argparse.Namespace], Request],
) -> Callable[[argparse.Namespace], int]:
    return lambda chosen: _carry_out(build(chosen), chosen)


def _carry_out(request: Request, chosen: argparse.Namespace) -> int:
    console = Console(stderr=chosen.json, highlight=False)
    with client.connected(locations.state_dir()) as daemon:
        job = daemon.submit(request, chosen.priority)
        if chosen.detach:
            return jobs.detach(job, as_json=chosen.json)
        if terminal.opens(chosen):
            terminal.become("tui", f"--job={job}")
        ending = follow(daemon, job, console)
    return endings.conclude(ending, console, as_json=chosen.json, debug=chosen.debug)


def _models(chosen: argparse.Namespace) -> int:
    with client.connected(locations.state_dir()) as daemon:
        found = daemon.models()
    if chosen.json:
        _print_json({"status": "ok", **found})
    else:
        Console(highlight=False).print(tables.models(found["models"], found["default"]))
    return 0


def _profiles(chosen: argparse.Namespace) -> int:
    kept = _kept()
    if chosen.action == "list":
        return _list_profiles(kept, chosen)
    if chosen.action == "diff":
        return comparing.compare(kept, chosen)
    if chosen.name is None:
        raise InputError(f"Say which profile: `autotune profiles {chosen.action} NAME`.")
    path = kept.find(chosen.name)
    if chosen.action == "rm":
        kept.remove(path)
        message = f"Removed {path}."
        if chosen.json:
            _print_json({"status": "ok", "message": message})
        else:
            print(message)
        return 0
    profile = store.read(path)
    if chosen.json:
        _print_json({"status": "ok", "path": str(path), "profile": encode(profile)})
    else:
        sys.stdout.write(path.read_text(encoding="utf-8"))
    return 0


def _kept() -> store.ProfileStore:
    return store.ProfileStore(locations.state_dir() / "profiles")


def _list_profiles(kept: store.ProfileStore, chosen: argparse.Namespace) -> int:
    readable, damaged = [], []
    for path in kept.paths():
        try:
            readable.append((path, store.read(path)))
        except StateError as error:
            damaged.append(str(error))
    if chosen.json:
        profiles = [{"path": str(path), **encode(profile)} for path, profile in readable]
        _print_json({"status": "ok", "profiles": profiles, "damaged": damaged})
        return 0
    if readable:
        Console(highlight=False).print(tables.profiles(readable))
    else:
        print("No profiles yet; `autotune --max-latency 50ms` makes the first one.")
    for message in damaged:
        print(message, file=sys.stderr)
    return 0


def _completion(chosen: argparse.Namespace) -> int:
    import shtab  # noqa: PLC0415 - for this verb alone

    print(shtab.complete(options.parser(), chosen.shell))
    return 0


def _print_json(document: Mapping[str, Any]) -> None:
    print(json.dumps(document, indent=2))


VERBS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "tune": _tune,
    "measure": _measure,
    "verify": _verify,
    "record": _record,
    "export": export.run,
    "characterize": report.characterize,
    "capacity": capacity.run,
    "report": report.report,
    "compare": report.report,
    **{verb: _asking(build) for verb, build in instruments.REQUESTS.items()},
    **{verb: _asking(build) for verb, build in selecting.REQUESTS.items()},
    "doctor": doctor.examine,
    "models": _models,
    "profiles": _profiles,
    "completion": _completion,
    "service": service.run,
    "config": configuration.run,
    "jobs": jobs.list_jobs,
    "attach": jobs.attach,
    "watch": jobs.watch,
    "cancel": jobs.cancel,
    "pause": jobs.pause,
    "resume": jobs.resume,
    "bridge": jobs.bridge,
    "tui": terminal.run,
}
