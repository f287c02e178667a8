"""The daemon's configuration file, checked so that every message names its line and key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml

from autotuner.core import quantity
from autotuner.core.encoding import decode
from autotuner.core.errors import InputError, StateError
from autotuner.core.request import DEFAULT_SEARCH_SECONDS, Scenario, TuneRequest, Workload
from autotuner.core.window import Window

SCHEMA = 1

Who = Literal["group", "root"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """Who may watch, submit and apply: root alone, or the group too."""

    watch: Who = "group"
    submit: Who = "group"
    apply: Who = "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the daemon takes on."""

    queued_jobs: int = 100
    kept_jobs: int = 50

    def __post_init__(self) -> None:
        if min(self.queued_jobs, self.kept_jobs) < 1:
            raise InputError("limits must be at least 1.")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptModel:
    """A model to be kept tuned; *apply* puts each new profile in force."""

    model: str
    objective: Literal["throughput", "latency", "energy"] = "throughput"
    max_latency: str | None = None
    percentile: float = 99.0
    min_throughput: float | None = None
    max_memory: str | None = None
    max_power: str | None = None
    scenario: Scenario = "multistream"
    rate: float | None = None
    shapes: tuple[str, ...] = ()
    data: str | None = None
    time: str | None = None
    apply: bool = False

    def request(self, storage: str | None) -> TuneRequest:
        """Return the tuning that keeps it tuned; raises InputError for what makes no sense."""
        return TuneRequest(
            workload=Workload(
                model=self.model,
                shapes=self.shapes,
                data=self.data,
                scenario=self.scenario,
                rate_ips=self.rate,
            ),
            goal=self.objective,
            max_latency_ms=quantity.milliseconds(self.max_latency) if self.max_latency else None,
            percentile=self.percentile,
            min_throughput_ips=self.min_throughput,
            max_memory_mib=quantity.mebibytes(self.max_memory) if self.max_memory else None,
            max_power_w={"": quantity.watts(self.max_power)} if self.max_power else {},
            max_seconds=quantity.seconds(self.time) if self.time else DEFAULT_SEARCH_SECONDS,
            storage=storage,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningSettings:
    """When models may be tuned and checked unattended.

    *max_load* is the share of the CPUs that others may use, *max_temperature* is in degrees
    Celsius; *recheck_days* is after how many days a profile is measured again.
    """

    windows: tuple[str, ...] = ()
    max_load: float | None = None
    mains_power: bool = False
    max_temperature: float | None = None
    recheck_days: float = 7.0

    @property
    def hours(self) -> tuple[Window, ...]:
        """The windows; raises InputError for what is none."""
        return tuple(Window.parse(text) for text in self.windows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it; everything may be left out."""

    schema: int = SCHEMA
    access: AccessSettings = field(default_factory=AccessSettings)
    limits: Limits = field(default_factory=Limits)
    storage: str | None = None
    tuning: TuningSettings = field(default_factory=TuningSettings)
    models: tuple[KeptModel, ...] = ()

    def __post_init__(self) -> None:
        if self.schema > SCHEMA:
            raise InputError(f"schema {self.schema} is newer than this version's {SCHEMA}.")


def read(path: Path) -> Settings:
    """Return the settings in the file at *path*, the defaults where there is none.

    Raises InputError with file, line and key for what is wrong, StateError when it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"The configuration {path} cannot be read: {error}.") from error
    return parse(text, str(path))


def parse(text: str, name: str) -> Settings:
    """Return the settings in *text* of the file called *name*; raises InputError."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text) if root is not None else {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise InputError(f"{name}, line {line}: this is no YAML; mend it.") from error
    lines = dict(_lines(root, "", name)) if root is not None else {}
    try:
        settings: Settings = decode(Settings, data)
        _ = settings.tuning.hours
    except InputError as error:
        raise _placed(error, lines, name, "tuning.windows") from None
    for index, model in enumerate(settings.models):
        try:
            model.request(settings.storage)
        except InputError as error:
            raise _placed(error, lines, name, f"models[{index}]") from None
    return settings


def _lines(node: yaml.Node, where: str, name: str) -> Iterator[tuple[str, int]]:
    """Yield the line of every key by its place, such as ``models[0].rate``."""
    yield where, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise InputError(f"{name}, line {line}: {key.value} stands here a second time.")
            seen.add(key.value)
            place = f"{where}.{key.value}" if where else str(key.value)
            yield from _lines(value, place, name)
            yield place, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, f"{where}[{index}]", name)


def _placed(error: InputError, lines: Mapping[str, int], name: str, otherwise: str) -> InputError:
    """Return *error* with the line of the key that it begins with, else of *otherwise*."""
    words = re.match(r"[\w.\[\]]+", str(error))
    named = _nearest(lines, words.group()) if words else ""
    line = lines.get(named or _nearest(lines, otherwise), 1)
    shown = "" if named else f"{otherwise}: "
    return InputError(f"{name}, line {line}: {shown}{error}")


def _nearest(lines: Mapping[str, int], place: str) -> str:
    """Return *place*, or what is nearest around it in the file; empty where nothing is."""
    while place and place not in lines:
        place = re.sub(r"(\[\d+\]|\.?[^.\[]*)$", "", place)
    return place
