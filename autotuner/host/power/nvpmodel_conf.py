"""The power modes of a Jetson, read from ``/etc/nvpmodel.conf``."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

CONF = "/etc/nvpmodel.conf"
NO_CAP = -1

_TAG = re.compile(r"<\s*(?P<kind>\w+)\s+(?P<attributes>[^>]*)>")  # some files lack a space
_ATTRIBUTE = re.compile(r"(\w+)\s*=\s*(\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerModel:
    """One mode; *settings* are (parameter, argument, value) in the order of the file."""

    id: int
    name: str
    settings: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NvpmodelConf:
    """The file's content; *files* are those of a parameter by argument, such as ``MAX_FREQ``."""

    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    models: tuple[PowerModel, ...] = ()
    default_id: int | None = None


def parse(text: str) -> NvpmodelConf:
    """Return what *text* says; a line that means nothing is passed over, as nvpmodel does.

    Values are kHz for CPUs, Hz for the GPU and the memory controller, -1 where there is no cap.
    """
    files: dict[str, dict[str, str]] = {}
    models: dict[int, tuple[str, list[tuple[str, str, int]]]] = {}
    default_id: int | None = None
    parameter: dict[str, str] = {}
    model: list[tuple[str, str, int]] | None = None
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if tag := _TAG.match(line.strip()):
            attributes = dict(_ATTRIBUTE.findall(tag["attributes"]))
            parameter, model = {}, None
            if tag["kind"] == "PARAM":
                parameter = files.setdefault(attributes.get("NAME", ""), {})
            elif tag["kind"] == "POWER_MODEL" and (id_ := number(attributes.get("ID"))) is not None:
                model = models.setdefault(id_, (attributes.get("NAME", str(id_)), []))[1]
            elif tag["kind"] == "PM_CONFIG":
                default_id = number(attributes.get("DEFAULT"))
        elif model is not None and len(words) == 3:
            if (value := number(words[2])) is not None:
                model.append((words[0], words[1], value))
        elif model is None and len(words) == 2:
            parameter[words[0]] = words[1]
    return NvpmodelConf(
        files=files,
        models=tuple(
            PowerModel(id=id_, name=name, settings=tuple(settings))
            for id_, (name, settings) in models.items()
        ),
        default_id=default_id,
    )


def number(word: str | None) -> int | None:
    """Return the decimal or hexadecimal number that *word* is, None when it is none."""
    with contextlib.suppress(ValueError):
        return int(word or "", 16 if (word or "").lower().startswith("0x") else 10)
    return None
