"""Profiles side by side: what they found, and what they hold for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from autotuner.core.config import Config
from autotuner.core.outcome import Measurement
from autotuner.core.profile import Evidence, Profile
from tui import figures, goal
from tui.glyphs import Glyphs
from tui.paint import BLANK, LABEL, Line, Piece, label, labelled

_LONGEST = 40


def beside(one: Profile, other: Profile, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the winners of both and in what else *other* differs from *one*."""
    columns = [(p.created[:16].replace("T", " "), p.winner) for p in (one, other)]
    former, latter = (p.winner.measurement.throughput_ips for p in (one, other))
    same = one.model.sha256 == other.model.sha256
    gain = latter / former if same and former and latter else None
    found = [
        line
        for name, before, after in _facts(one, other, glyphs)
        for line in labelled(name, f"{before} {glyphs.to} {after}", width, "warn")
    ]
    return [
        *comparison(columns, gain, width, changes_only=True),
        BLANK,
        *(found or labelled("otherwise", "nothing differs", width)),
    ]


def comparison(
    columns: Sequence[tuple[str, Evidence]],
    speedup: float | None,
    width: int,
    *,
    changes_only: bool = False,
) -> list[Line]:
    """Return configurations and what was measured of them side by side; differences stand out.

    With *changes_only* the settings that all have in common are left out.
    """
    size = max(14, min(28, (width - LABEL - 8) // len(columns)))
    titles = [Piece(_cell(title, size), "title") for title, _ in columns]
    lines: list[Line] = [(Piece(" " * LABEL), *titles)]
    configs = [item.config.to_mapping() for _, item in columns]
    for name in Config().to_mapping():
        values = [config.get(name) for config in configs]
        same = len(set(values)) == 1
        if same and (changes_only or values[0] is None):
            continue
        texts = ["default" if value is None else str(value) for value in values]
        ink = "dim" if same else "strong"
        words = name.removesuffix("_threads").replace("_", " ")
        lines.append(_compared(words, texts, size, ink))
    measured = [item.measurement for _, item in columns]
    for name, text in _FIGURES:
        texts = [text(m) for m in measured]
        if any(figures.UNKNOWN not in value for value in texts):
            lines.append(_compared(name, texts, size, "strong" if name == "throughput" else ""))
    if speedup is not None:
        texts = ["1.00x", *[figures.ratio(speedup)] * (len(columns) - 1)]
        lines.append(_compared("ratio", texts, size, "strong good"))
    return lines


def differences(before: Config, after: Config) -> str:
    """Say in words how *after* differs from *before*."""
    old, new = before.to_mapping(), after.to_mapping()
    changed = [f"{name} {old[name]} to {new[name]}" for name in new if old[name] != new[name]]
    return ", ".join(changed).replace("None", "default") or "nothing"


_FIGURES: tuple[tuple[str, Callable[[Measurement], str]], ...] = (
    (
        "throughput",
        lambda m: _with_interval(m, "throughput_ips", f"{figures.rate(m.throughput_ips)}"),
    ),
    ("p50", lambda m: figures.milliseconds(m.p50_ms)),
    ("p99", lambda m: _with_interval(m, "p99_ms", figures.milliseconds(m.p99_ms))),
    ("memory", lambda m: figures.mebibytes(m.memory_mib).strip()),
    ("power", lambda m: f"{figures.number(m.power_w)} W"),
)


def _with_interval(measured: Measurement, name: str, text: str) -> str:
    sides = measured.intervals.get(name)
    if sides is None or sides[0] == sides[1]:
        return text
    low, high = ("?" if side is None else figures.number(side).strip() for side in sides)
    return f"{text} ({low}-{high})"


def _compared(name: str, texts: Sequence[str], size: int, ink: str) -> Line:
    first, *rest = (_cell(text, size) for text in texts)
    return (
        label(name),
        Piece(first, "dim"),
        *(Piece(text, ink) for text in rest),
    )


def _cell(text: str, size: int) -> str:
    """Return *text* so wide, cut where it is longer."""
    return f"{text:<{size - 1}.{size - 1}} "


def _facts(one: Profile, other: Profile, glyphs: Glyphs) -> list[tuple[str, str, str]]:
    """Return what differs besides configurations and measurements: name, before, after."""
    told = [
        ("model", one.model.name, other.model.name),
        ("wanted", goal.words(one.objective, glyphs), goal.words(other.objective, glyphs)),
        ("status", one.status, other.status),
        ("simulated", one.simulated or "no", other.simulated or "no"),
        ("confidence", f"{one.confidence:.0%}", f"{other.confidence:.0%}"),
        ("version", one.tool_version, other.tool_version),
    ]
    for name in one.fingerprint.differences(other.fingerprint):
        before, after = (_words(getattr(p.fingerprint, name)) for p in (one, other))
        told.append((name.partition("_")[0], before, after))
    return [(name, before, after) for name, before, after in told if before != after]


def _words(value: object) -> str:
    """Return a field of a fingerprint in words, a long digest cut short."""
    if value is None:
        return "unknown"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items()) or "none"
    text = str(value)
    return text if len(text) <= _LONGEST else text[:12]
