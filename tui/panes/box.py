"""The machine in full: the daemon, what is applied, and every sensor with its reason if silent."""

from __future__ import annotations

from tui import figures
from tui.paint import BLANK, Line, Piece, fit, labelled, strip, wrap
from tui.session import Session

_NAME = 32
_NAME_OF_CHECK = 18


def box(session: Session, width: int) -> list[Line]:
    """Return what the daemon says of itself and of the box, as many lines as that takes."""
    status = session.status
    if status is None:
        return [(Piece(" the daemon has not answered yet", "dim"),)]
    kind = "the system's" if status.get("system") else "private"
    facts = [
        ("daemon", f"{kind}, version {status.get('version')}, process {status.get('pid')}"),
        ("state", str(status.get("state", "?"))),
        ("you", _who(session)),
        ("jobs", _jobs(session)),
    ]
    lines: list[Line] = [line for name, text in facts for line in labelled(name, text, width, "")]
    lines += [BLANK, *_applied(session, width)]
    for note in status.get("notes", ()):
        lines += labelled("note", str(note), width, "warn")
    lines += _checks(session, width)
    return [fit(line, width, session.glyphs) for line in lines]


def readings(session: Session, width: int) -> list[Line]:
    """Return every sensor with its value and history, those without a value with the reason."""
    found = session.sensors
    if found.t is None:
        return [(Piece(" no readings yet", "dim"),)]
    lines: list[Line] = []
    silent: list[Line] = []
    for name, reading in sorted(found.now.items(), key=lambda item: _natural(item[0])):
        if reading.value is None:
            why = reading.why or "no reason given"
            parts = wrap(why, max(10, width - _NAME - 2))
            silent += [
                (Piece(f" {name if i == 0 else '':<{_NAME}}", "dim"), Piece(part, "dim"))
                for i, part in enumerate(parts)
            ]
            continue
        history = found.recent(name)
        low, high = (0.0, 100.0) if reading.unit in {"%", "percent"} else (0.0, max(history) * 1.1)
        room = max(0, min(60, width - _NAME - 20))
        value, unit = figures.reading(reading.value, reading.unit, session.glyphs.degree)
        lines.append(
            (
                Piece(f" {name:<{_NAME}}", "label"),
                Piece(f"{value} {unit:<7} ", "strong"),
                Piece(strip(history, room, low, high, session.glyphs), "bar"),
            )
        )
    if silent:
        lines += [BLANK, (Piece(" not readable here", "title"),), *silent]
    return [fit(line, width, session.glyphs) for line in lines]


def _checks(session: Session, width: int) -> list[Line]:
    """Return the check-up, what needs attention with its remedy."""
    glyphs = session.glyphs
    marks = {"ok": (glyphs.done, "good"), "attention": (glyphs.failed, "warn")}
    lines: list[Line] = []
    area = None
    for check in session.checks:
        if check.get("area") != area:
            area = check.get("area")
            lines += [BLANK, (Piece(f" {area}", "title"),)]
        mark, ink = marks.get(str(check.get("status")), (glyphs.dot, "dim"))
        told = wrap(str(check.get("detail", "")), max(10, width - _NAME_OF_CHECK - 4))
        name = f"{check.get('name')!s:<{_NAME_OF_CHECK}}"
        lines += [
            (
                Piece(f" {mark if i == 0 else ' '} ", ink),
                Piece(name if i == 0 else " " * len(name)),
                Piece(part, "dim"),
            )
            for i, part in enumerate(told or [""])
        ]
        if check.get("fix"):
            indent = " " * (_NAME_OF_CHECK + 3)
            lines += [
                (Piece(f"{indent}{glyphs.to if i == 0 else ' '} ", "warn"), Piece(part, "label"))
                for i, part in enumerate(
                    wrap(str(check["fix"]), max(10, width - _NAME_OF_CHECK - 6))
                )
            ]
    return lines


def _natural(name: str) -> tuple[str, int, str]:
    """Sort cpu2 before cpu10."""
    device, _, quantity = name.partition(".")
    letters = device.rstrip("0123456789")
    return letters, int(device[len(letters) :] or -1), quantity


def _who(session: Session) -> str:
    status = session.status or {}
    may = status.get("may")
    allowed = f", may {', '.join(map(str, may))}" if isinstance(may, list) else ""
    only = "; this view only reads" if session.read_only else ""
    return f"{status.get('user', 'this user')}{allowed}{only}"


def _jobs(session: Session) -> str:
    status = session.status or {}
    running = status.get("running") or "none"
    return f"running {running}, {status.get('queued', 0)} queued, {len(session.jobs)} known"


def _applied(session: Session, width: int) -> list[Line]:
    applied = session.applied
    if applied is None:
        return labelled("applied", "no profile; the machine runs as it was found", width, "")
    checked = "verified" if applied.get("verified") else "not verified"
    lines = labelled("applied", str(applied.get("profile")), width, "good")
    lines += labelled("", f"power mode {applied.get('power_mode')}, {checked}", width)
    for difference in applied.get("differences", ()):
        lines += labelled("", str(difference), width, "warn")
    return lines
