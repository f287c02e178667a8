"""The profiles of the box: the list, and the evidence and differences of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autotuner.core.config import Config
from autotuner.core.encoding import decode
from autotuner.core.errors import AutotunerError
from autotuner.core.outcome import Measurement
from autotuner.core.profile import Evidence, Profile
from tui import figures, goal
from tui.paint import BLANK, LABEL, Line, Piece, fit, label, labelled, marked, wrap
from tui.session import Session

_WIDE = 82


def heading(width: int) -> Line:
    """Return the titles of the list."""
    wide = f"{'created':<18}{'speedup':>8}" if width >= _WIDE else ""
    model = f"{'model':<{_model_width(width)}}"
    return (Piece(f"   {model}{'thrput/s':>9}{'p99 ms':>9}  {'status':<12}{wide}", "label"),)


def _model_width(width: int) -> int:
    return max(8, min(22, width - 35))


def rows(session: Session, first: int, width: int, height: int) -> list[Line]:
    """Return the profiles from number *first* on; the chosen one is marked."""
    if not session.profiles:
        text = "No profile is kept on this box yet; a search that ends with a result makes one."
        return [(Piece(f" {part}", "dim"),) for part in wrap(text, width - 2)]
    lines = []
    shown = session.profiles[first : first + height]
    for place, summary in enumerate(shown, first):
        line = fit(_row(session, summary, f"profile:{place}", width), width, session.glyphs)
        lines.append(marked(line, "cursor", width) if place == session.profile else line)
    return lines


def _row(session: Session, summary: Mapping[str, Any], target: str, width: int) -> list[Piece]:
    glyphs = session.glyphs
    applied = (session.applied or {}).get("profile") in {summary.get("name"), summary.get("path")}
    mark = Piece(f" {glyphs.on} " if applied else "   ", "good", target)
    model = _model_width(width)
    name = str(summary.get("model") or summary.get("name"))
    if summary.get("damaged"):
        return [
            mark,
            Piece(f"{name:<{model}.{model}}", "", target),
            Piece("  damaged", "over", target),
        ]
    status = "simulated" if summary.get("simulated") else str(summary.get("status", ""))
    pieces = [
        mark,
        Piece(f"{name:<{model}.{model}}", "strong", target),
        Piece(figures.number(summary.get("throughput_ips"), 9), "good", target),
        Piece(figures.number(summary.get("p99_ms"), 9), "", target),
        Piece(f"  {status:<12}", "good" if status == "proven" else "warn", target),
    ]
    if width >= _WIDE:
        created = str(summary.get("created", ""))[:16].replace("T", " ")
        pieces.append(Piece(f"{created:<18}", "dim", target))
        pieces.append(Piece(f"{figures.ratio(summary.get('speedup')):>8}", "", target))
    return pieces


def read(document: Mapping[str, Any] | None) -> Profile | str | None:
    """Return the profile in what the daemon sent, or in words why it cannot be read."""
    if not document:
        return None
    try:
        profile: Profile = decode(Profile, document.get("profile"))
    except AutotunerError as error:
        return str(error)
    return profile


def evidence(session: Session, width: int) -> list[Line]:
    """Return the evidence of the chosen profile, as many lines as that takes."""
    summary = session.chosen_profile
    if summary is None:
        text = "What a profile rests on is shown here, with what applying it would change."
        return [(Piece(f" {part}", "dim"),) for part in wrap(text, width - 2)]
    if summary.get("damaged"):
        return labelled("damaged", str(summary["damaged"]), width, "over")
    profile = read(session.shown.get(str(summary["name"])))
    if not isinstance(profile, Profile):
        return labelled("profile", profile or "being fetched from the daemon", width)
    glyphs = session.glyphs
    proven = profile.status == "proven"
    lines: list[Line] = [
        (
            Piece(f" {glyphs.done if proven else glyphs.failed} ", "good" if proven else "warn"),
            Piece(profile.status, "strong good" if proven else "strong warn"),
            Piece(f"  with {profile.confidence:.0%} confidence", "dim"),
            Piece(f"  simulated {profile.simulated}" if profile.simulated else "", "warn"),
        ),
        *labelled("wanted", goal.words(profile.objective, glyphs), width, ""),
        *labelled("name", str(summary["name"]), width),
        BLANK,
        *comparison(
            [("baseline", profile.baseline), ("winner", profile.winner)], profile.speedup, width
        ),
        BLANK,
        *_against_applied(session, profile, str(summary["name"]), width),
        *labelled(
            "search",
            f"{profile.search.trials} trials in {profile.search.elapsed_s:.0f} s of "
            f"{profile.search.space_size} configurations; ended because "
            f"{profile.search.stopped_because}",
            width,
        ),
        *labelled("machine", _machine(profile), width),
        *labelled(
            "made",
            f"{profile.created[:16].replace('T', ' ')} UTC by version {profile.tool_version}",
            width,
        ),
    ]
    return [fit(line, width, glyphs) for line in lines]


def comparison(
    columns: Sequence[tuple[str, Evidence]], speedup: float | None, width: int
) -> list[Line]:
    """Return configurations and what was measured of them side by side; differences stand out."""
    size = max(14, min(28, (width - LABEL - 8) // len(columns)))
    lines: list[Line] = [
        (Piece(" " * LABEL), *(Piece(f"{title:<{size}}", "title") for title, _ in columns))
    ]
    configs = [item.config.to_mapping() for _, item in columns]
    for name in Config().to_mapping():
        values = [config.get(name) for config in configs]
        if all(value is None for value in values):
            continue
        texts = ["default" if value is None else str(value) for value in values]
        ink = "strong" if len(set(values)) > 1 else "dim"
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
    first, *rest = (f"{text:<{size - 1}.{size - 1}} " for text in texts)
    return (
        label(name),
        Piece(first, "dim"),
        *(Piece(text, ink) for text in rest),
    )


def _against_applied(session: Session, profile: Profile, name: str, width: int) -> list[Line]:
    """Say what applying would change from what is applied now."""
    applied = session.applied
    if applied is None:
        return labelled("applied", "no profile is applied", width)
    if name == applied.get("profile"):
        checked = "verified just now" if applied.get("verified") else "not verified"
        lines = labelled("applied", f"this one, {checked}", width, "good")
        for difference in applied.get("differences", ()):
            lines += labelled("", str(difference), width, "warn")
        return lines
    other = read(session.shown.get(str(applied.get("profile"))))
    lines = labelled("applied", str(applied.get("profile")), width)
    if isinstance(other, Profile):
        lines += labelled(
            "would change", differences(other.winner.config, profile.winner.config), width, "warn"
        )
    return lines


def differences(before: Config, after: Config) -> str:
    """Say in words how *after* differs from *before*."""
    old, new = before.to_mapping(), after.to_mapping()
    changed = [f"{name} {old[name]} to {new[name]}" for name in new if old[name] != new[name]]
    return ", ".join(changed).replace("None", "default") or "nothing"


def _machine(profile: Profile) -> str:
    found = profile.fingerprint
    parts = [found.device, found.cpu, found.gpu]
    if found.cpus is not None:
        parts.append(f"{found.cpus} CPUs")
    parts += [f"{name} {version}" for name, version in found.runtimes.items()]
    return ", ".join(part for part in parts if part)
