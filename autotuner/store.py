"""Profiles on disk: one YAML file each, written whole or not at all, found by fingerprint."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from autotuner import durable
from autotuner.core.encoding import decode, encode
from autotuner.core.errors import InputError, StateError
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.profile import SCHEMA, Profile

_AGAIN = "Remove it with `autotune profiles rm` and tune again."
_HEADING = "# A profile of edge-autotune: the configuration, its evidence, and what it holds for.\n"


class ProfileStore:
    """The profiles in one folder, which is made when the first one is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, profile: Profile) -> Path:
        """Keep *profile*, replacing one of the same name, and return its path."""
        return write(profile, self.folder / f"{profile.name}.yaml")

    def paths(self) -> list[Path]:
        """Return the files of all profiles, the newest first."""
        return sorted(self.folder.glob("*.yaml"), key=lambda path: -path.stat().st_mtime)

    def find(self, name: str) -> Path:
        """Return the file of the profile *name*: a path, its name or the beginning of just one.

        Raises InputError when there is none or more than one.
        """
        if Path(name).is_file():
            return Path(name)
        matches = [path for path in self.paths() if name in {path.stem, path.name}]
        matches = matches or [path for path in self.paths() if path.stem.startswith(name)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            stems = ", ".join(path.stem for path in matches)
            raise InputError(f"{name!r} could be any of {stems}; write more of the name.")
        raise InputError(f"There is no profile {name!r}; `autotune profiles` lists them.")

    def proven(self, name: str) -> Path | None:
        """Return the file of the profile *name* if there is one and it is proven."""
        path = self.folder / f"{name}.yaml"
        with contextlib.suppress(StateError):
            if read(path).status == "proven":
                return path
        return None

    def matching(self, fingerprint: Fingerprint) -> Iterator[Profile]:
        """Yield the readable profiles that hold for *fingerprint*, the newest first."""
        for path in self.paths():
            with contextlib.suppress(StateError):
                profile = read(path)
                if profile.fingerprint == fingerprint:
                    yield profile

    def remove(self, path: Path) -> None:
        """Delete the profile at *path*; raises StateError when that is not allowed."""
        try:
            path.unlink()
        except OSError as error:
            raise StateError(f"{path} cannot be removed: {error.strerror}.") from error


def read(path: Path) -> Profile:
    """Return the profile in the file at *path*.

    Raises StateError, saying what to do, when it is damaged or from a newer version.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no YAML"
        raise StateError(f"The profile {path} cannot be read: {reason}. {_AGAIN}") from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if type(schema) is not int or schema < 1:
        raise StateError(f"{path} is no profile: it has no schema number. {_AGAIN}")
    if schema > SCHEMA:
        raise StateError(
            f"The profile {path} has schema {schema} and this version knows {SCHEMA}; "
            "install a newer edge-autotune."
        )
    try:
        profile: Profile = decode(Profile, data)
    except InputError as error:
        raise StateError(f"The profile {path} is damaged: {error} {_AGAIN}") from error
    return profile


def write(profile: Profile, path: Path) -> Path:
    """Write *profile* to *path*, whole or not at all, surviving a power cut; return *path*.

    Raises StateError when it cannot be written.
    """
    text = _HEADING + yaml.dump(
        _rounded(encode(profile)), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.write(path, text.encode())
    except OSError as error:
        raise StateError(
            f"The profile cannot be written to {path}: {error.strerror}; "
            "free some space there or choose another folder."
        ) from error
    return path


class _Dumper(yaml.SafeDumper):
    """Writes numbers that belong together, such as the sides of an interval, on one line."""


def _represent_list(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.SequenceNode:
    flat = not any(isinstance(item, str | list | dict) for item in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=flat)


_Dumper.add_representer(list, _represent_list)


def _rounded(data: Any) -> Any:
    """Return *data* with six significant digits, more than any measurement has."""
    if isinstance(data, float):
        return float(f"{data:.6g}")
    if isinstance(data, dict):
        return {key: _rounded(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_rounded(value) for value in data]
    return data
