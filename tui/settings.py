"""What the user has set for the terminal interface: keys, theme and glyphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotuner.core.encoding import decode
from autotuner.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """*keymap* gives actions other keys, by id; *theme* and *glyphs* are names or ``auto``."""

    keymap: Mapping[str, str] = field(default_factory=dict)
    theme: str = "auto"
    glyphs: str = "auto"


def path(environment: Mapping[str, str]) -> Path:
    """Return the file of the settings: ``tui.yaml`` in the user's configuration folder."""
    base = environment.get("XDG_CONFIG_HOME")
    folder = Path(base) if base else Path.home() / ".config"
    return folder / "autotuner" / "tui.yaml"


def read(file: Path) -> Settings:
    """Return the settings in *file*, the usual ones when there is no such file.

    Raises InputError, naming the file, when it cannot be understood.
    """
    if not file.is_file():
        return Settings()
    import yaml  # noqa: PLC0415 - for those who have settings

    try:
        data: Any = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        settings: Settings = decode(Settings, data)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"The settings {file} cannot be read: {error}; mend the file.") from error
    except InputError as error:
        raise InputError(f"The settings {file} are wrong: {error}") from error
    return settings
