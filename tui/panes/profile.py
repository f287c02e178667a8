"""The profiles of the box: the list, and the evidence of one, or how it differs from another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotuner.core.encoding import decode
from autotuner.core.errors import AutotunerError
from autotuner.core.profile import Profile
from tui import figures, goal
from tui.paint import BLANK, Line, Piece, fit, labelled, marked, wrap
from tui.panes.comparison import beside, comparison, differences
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
    """Return the profiles from number *first* on; the row of the chosen one stands out."""
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
    sign = glyphs.marked if summary is session.marked_profile else " "
    mark = Piece(f"{sign}{glyphs.on if applied else ' '} ", "good", target)
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


def title(session: Session) -> str:
    """Return what the pane beside the list is called."""
    return "evidence" if session.marked_profile is None else "the marked one and this"


def evidence(session: Session, width: int) -> list[Line]:
    """Return the evidence of the chosen profile, as many lines as that takes.

    While another one is marked, it is both beside each other.
    """
    summary = session.chosen_profile
    if summary is None:
        text = "What a profile rests on is shown here, with what applying it would change."
        return [(Piece(f" {part}", "dim"),) for part in wrap(text, width - 2)]
    if summary.get("damaged"):
        return labelled("damaged", str(summary["damaged"]), width, "over")
    profile = read(session.shown.get(str(summary["name"])))
    if not isinstance(profile, Profile):
        return labelled("profile", profile or "being fetched from the daemon", width)
    former = session.marked_profile
    if former is not None:
        return _beside_marked(session, former, profile, width)
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


def _beside_marked(
    session: Session, former: Mapping[str, Any], profile: Profile, width: int
) -> list[Line]:
    """Return the profile whose summary is *former* and another *profile* side by side."""
    glyphs = session.glyphs
    if former is session.chosen_profile:
        return labelled("marked", "this one; the profile that is chosen next is set beside", width)
    one = read(session.shown.get(str(former["name"])))
    if not isinstance(one, Profile):
        return labelled("marked", one or "being fetched from the daemon", width)
    lines = [
        *labelled("marked", str(former["name"]), width),
        *labelled("this", str((session.chosen_profile or {}).get("name")), width),
        BLANK,
        *beside(one, profile, width, glyphs),
    ]
    return [fit(line, width, glyphs) for line in lines]


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


def _machine(profile: Profile) -> str:
    found = profile.fingerprint
    parts = [found.device, found.cpu, found.gpu]
    if found.cpus is not None:
        parts.append(f"{found.cpus} CPUs")
    parts += [f"{name} {version}" for name, version in found.runtimes.items()]
    return ", ".join(part for part in parts if part)
