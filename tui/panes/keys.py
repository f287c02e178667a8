"""The keys: the row at the bottom, and the help, both made from the table of actions."""

from __future__ import annotations

from collections.abc import Sequence

from autotuner.core.actions import Action, Situation, find, refusal
from tui.glyphs import Glyphs
from tui.paint import BLANK, Line, Piece, fit, spread, width_of, wrap

_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "up": "Up",
    "down": "Down",
    "home": "Home",
    "end": "End",
    "f1": "F1",
    "pagedown": "PgDn",
    "pageup": "PgUp",
}
_GROUPS = {
    "general": "Everywhere",
    "pages": "Pages",
    "move": "In a table",
    "job": "The job",
    "profile": "Profiles",
}
_NAMES_OF_KEYS = 13
_TWO_COLUMNS = 100
_ON_PAGE = {
    "dashboard": ("open", "sort", "filter", "pause", "resume", "cancel", "apply", "export", "plot"),
    "trial": ("back", "down", "up", "copy", "pause", "resume", "cancel", "export"),
    "profiles": ("down", "up", "apply", "restore", "diff", "copy"),
    "machine": ("down", "up", "restore", "freeze"),
    "log": ("down", "up", "top", "bottom", "export"),
}


def printed(key: str) -> str:
    """Return the name of *key* as it stands on a keyboard."""
    return _NAMES.get(key, key.replace("ctrl+", "^"))


def row(actions: Sequence[Action], page: str, now: Situation, width: int, glyphs: Glyphs) -> Line:
    """Return the row of keys for *page*: what makes sense now; a click does it."""
    ending = _keys(actions, ("help", "quit"), now)
    pieces: list[Piece] = []
    for name in _ON_PAGE[page]:
        if name in {"pause", "resume"} and refusal(name, now) is not None:
            other = "resume" if name == "pause" else "pause"
            if name == "resume" or refusal(other, now) is None:
                continue
        one = _keys(actions, (name,), now)
        if width_of(pieces) + width_of(one) + width_of(ending) > width:
            break
        pieces += one
    return spread(pieces, ending, width, glyphs)


def message(text: str, ink: str, width: int, glyphs: Glyphs) -> Line:
    """Return a message that stands in the place of the row of keys for a while."""
    return spread([Piece(f" {text}", ink)], [], width, glyphs)


def _keys(actions: Sequence[Action], names: Sequence[str], now: Situation) -> list[Piece]:
    pieces = []
    for name in names:
        action = find(name, actions)
        off = refusal(name, now) is not None
        pieces += [
            Piece(f" {printed(action.keys[0])}", "key-off" if off else "key", name),
            Piece(f" {action.label} ", "off" if off else "dim", name),
        ]
    return pieces


def keys_help(actions: Sequence[Action], now: Situation, width: int, glyphs: Glyphs) -> list[Line]:
    """Return every action with its keys and, where it cannot be done now, the reason."""
    column = width if width < _TWO_COLUMNS else width // 2 - 1
    groups = [
        [
            (Piece(f" {title}", "title"),),
            *(line for a in actions if a.group == group for line in _help_of(a, now, column)),
            BLANK,
        ]
        for group, title in _GROUPS.items()
    ]
    if width < _TWO_COLUMNS:
        return [fit(line, width, glyphs) for group in groups for line in group]
    left = [line for group in groups[:2] for line in group]
    right = [line for group in groups[2:] for line in group]
    lines = []
    for place in range(max(len(left), len(right))):
        one = fit(left[place] if place < len(left) else (), column, glyphs)
        other = fit(right[place] if place < len(right) else (), column, glyphs)
        lines.append((*one, Piece(" " * (column + 1 - width_of(one))), *other))
    return lines


def _help_of(action: Action, now: Situation, width: int) -> list[Line]:
    why = refusal(action.id, now)
    keys = " ".join(printed(key) for key in action.keys)
    room = width - _NAMES_OF_KEYS - 1
    ink = "off" if why else ""
    parts = [Piece(part, ink, action.id) for part in wrap(action.words, room)]
    parts += [Piece(part, "off") for part in wrap(f"not now: {why}", room) if why]
    heads = [f"  {keys}", *[""] * (len(parts) - 1)]
    ink = "key-off" if why else "key"
    return [
        (Piece(f"{head:<{_NAMES_OF_KEYS}}", ink, action.id), part)
        for head, part in zip(heads, parts, strict=True)
    ]
