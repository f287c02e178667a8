"""Tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from autotuner.core.config import Config
from autotuner.core.events import CachedVariant, Candidate, PlanDone
from autotuner.core.outcome import Measurement
from autotuner.core.profile import Profile
from autotuner.core.selection import Option, front

_LATENCY_OF_BATCH = "Latency is that of a batch."
_LATENCY_OF_TILES = "Latency is that of all {:.0f} tiles."
_LATENCY_OF_REQUEST = "Latency is that of a request, from its scheduled arrival to its answer."
_PERCENTILES = ("p50", "p90", "p95", "p99")


def comparison(columns: Sequence[tuple[str, Candidate]], speedup: float | None) -> Table:
    """Return the candidates side by side, a row for each figure."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("")
    for title, _ in columns:
        table.add_column(title)
    measured = [candidate.measurement for _, candidate in columns]
    table.add_row("configuration", *(str(candidate.config) for _, candidate in columns))
    table.add_row("throughput", *map(_throughput, measured))
    for name in _PERCENTILES:
        table.add_row(f"latency {name}", *(_latency(m, f"{name}_ms") for m in measured))
    extra = sorted({name for m in measured for name in m.extra if name.endswith("_ms")})
    for name in extra:
        table.add_row(f"latency {name.removesuffix('_ms')}", *(_latency(m, name) for m in measured))
    rates = [m.extra.get("offered_ips") for m in measured]
    served = any(rates)
    if served:
        table.add_row("requests arrive at", *(known(rate, "{:.1f}/s") for rate in rates))
    left = [m.extra.get("unanswered") for m in measured]
    if any(left):
        table.add_row("left unanswered", *(known(n, "{:.0f}") for n in left))
    table.add_row("requests" if served else "batches", *(known(m.n, "{}") for m in measured))
    table.add_row("memory", *(known(m.memory_mib, "{:.0f} MiB") for m in measured))
    _add_electrical(table, measured)
    tiles = next((m.extra["tiles"] for m in measured if "tiles" in m.extra), None)
    table.caption = _LATENCY_OF_REQUEST if served else _LATENCY_OF_BATCH
    if tiles is not None:
        table.caption = _LATENCY_OF_TILES.format(tiles)
    table.caption_justify = "left"
    if speedup is not None:
        table.add_row("ratio", "1.00", *(f"{speedup:.2f}" for _ in columns[1:]), style="bold")
    return table


def one(config: Config, measurement: Measurement) -> Table:
    """Return what was measured of one configuration."""
    return comparison([("", Candidate(config=config, measurement=measurement))], None)


def plan(plan: PlanDone) -> Table:
    """Return the search space, a row for each dimension."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("dimension")
    table.add_column("values")
    for name, values in plan.dimensions.items():
        table.add_row(name, ", ".join("default" if v is None else str(v) for v in values))
    return table


def models(descriptions: Mapping[str, str], default: str) -> Table:
    """Return the reference models, the default one marked."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("model")
    table.add_column("what it is")
    for name, description in descriptions.items():
        table.add_row(f"{name} *" if name == default else name, description)
    table.caption = "* the default"
    return table


def profiles(kept: Sequence[tuple[Path, Profile]]) -> Table:
    """Return the profiles, a row for each."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for title in ("model", "objective", "status", "throughput", "ratio", "created", "name"):
        table.add_column(title, overflow="fold")
    for path, profile in kept:
        table.add_row(
            profile.model.name,
            str(profile.objective),
            f"{profile.status}, simulated" if profile.simulated else profile.status,
            _throughput(profile.winner.measurement),
            known(profile.speedup, "{:.2f}"),
            profile.created,
            path.stem,
        )
    return table


def options(models: Sequence[Option], chosen: str | None) -> Table:
    """Return several tuned models, the most accurate first and the *chosen* one marked."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for title in ("model", "accuracy", "throughput", "latency p99", "configuration", "status"):
        table.add_column(title, overflow="fold")
    best = {option.model for option in front(models)}
    for option in sorted(models, key=lambda o: (-(o.accuracy or 0.0), -o.throughput_ips)):
        name, measured = Path(option.model).stem, option.measurement
        mark = " *" if option.model == chosen else " +" if option.model in best else ""
        table.add_row(
            f"{name}{mark}",
            known(option.accuracy, "{:g}"),
            _throughput(measured) if measured else "?",
            _latency(measured, "p99_ms") if measured else "?",
            str(option.config or ""),
            option.status,
        )
    table.caption = "* to use; * and +: no other is both more accurate and faster"
    table.caption_justify = "left"
    return table


def variants(cached: Sequence[CachedVariant]) -> Table:
    """Return the precision variants in the cache."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for title in ("model", "variant", "size", "calibrated on"):
        table.add_column(title, overflow="fold")
    for one in cached:
        row = (one.model, one.variant, f"{one.size_mib:.1f} MiB", one.calibrated_on or "")
        table.add_row(*row)
    return table


def _throughput(measurement: Measurement) -> str:
    value = known(measurement.throughput_ips, "{:.1f}/s")
    return value + _interval(measurement, "throughput_ips", "{:.1f}")


def _latency(measurement: Measurement, name: str) -> str:
    value = measurement.extra.get(name, getattr(measurement, name, None))
    return known(value, "{:.2f} ms") + _interval(measurement, name, "{:.2f}")


def _add_electrical(table: Table, measured: Sequence[Measurement]) -> None:
    """Add a row for each figure of power, energy, clock and heat that one of *measured* has."""
    extras = [m.extra for m in measured]
    for name, form, values in (
        ("power", "{:.1f} W", [m.power_w for m in measured]),
        ("energy", "{:.4g} J/inference", [m.energy_j for m in measured]),
        ("net of idle", "{:.4g} J/inference", [e.get("energy_net_j") for e in extras]),
        ("efficiency", "{:.4g} inferences/s per W", [e.get("ips_per_w") for e in extras]),
        ("clock", "{:.0f} MHz", [m.clock_mhz for m in measured]),
    ):
        if any(value is not None for value in values):
            table.add_row(name, *(known(value, form) for value in values))
    if any(m.throttled is not None for m in measured):
        words = {None: "?", False: "no", True: "yes, by heat or a limit of the board"}
        table.add_row("throttled", *(words[m.throttled] for m in measured))
    if any(e.get("hot_start") for e in extras):
        began = (known(e.get("start_temperature_c"), "{:.0f} °C") for e in extras)
        hot = (e.get("hot_start") for e in extras)
        table.add_row("hot start", *(c if h else "no" for c, h in zip(began, hot, strict=True)))
    if any(e.get("clocks_settled") == 0.0 for e in extras):
        settled = (e.get("clocks_settled") != 0.0 for e in extras)
        table.add_row("clocks settled", *("yes" if one else "no" for one in settled))


def _interval(measurement: Measurement, name: str, form: str) -> str:
    """Return the confidence interval in brackets; ? for a side that is not known."""
    if name not in measurement.intervals:
        return ""
    if len(set(measurement.intervals[name])) == 1:
        return ""  # a rate that was chosen, not estimated
    low, high = (known(side, form) for side in measurement.intervals[name])
    return f" ({low} to {high})"


def known(value: float | None, form: str) -> str:
    """Return *value* in this *form*, ``?`` when it is not known."""
    return "?" if value is None else form.format(value)
