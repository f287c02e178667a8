"""The characters that pictures are drawn with: as rich as the terminal can show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """One character for each purpose; *bars* go from empty to full."""

    name: str
    braille: bool = False
    bars: str = " ▁▂▃▄▅▆▇█"
    good: str = "●"
    over: str = "✕"
    best: str = "★"
    failed: str = "✗"
    baseline: str = "◆"
    marked: str = "◇"
    now: str = "▶"
    on: str = "●"
    paused: str = "Ⅱ"
    done: str = "✓"
    full: str = "━"
    rest: str = "─"
    budget: str = "┊"
    front: str = "·"
    axis: str = "│"
    corner: str = "└"
    floor: str = "─"
    low_end: str = "├"
    high_end: str = "┤"
    open_end: str = "╌"
    dot: str = "·"
    to: str = "→"
    at_most: str = "≤"
    at_least: str = "≥"
    ellipsis: str = "…"
    cursor: str = "▸"
    rising: str = "▲"
    falling: str = "▼"
    degree: str = "°C"
    border: str = "round"


BRAILLE = Glyphs(name="braille", braille=True)
BLOCK = replace(BRAILLE, name="block", braille=False)
ASCII = Glyphs(
    name="ascii",
    bars=" .:-=+*%#",
    good="o",
    over="x",
    best="*",
    failed="!",
    baseline="B",
    marked="&",
    now=">",
    on="*",
    paused="=",
    done="+",
    full="#",
    rest="-",
    budget=":",
    front=".",
    axis="|",
    corner="+",
    floor="-",
    low_end="|",
    high_end="|",
    open_end=".",
    dot="-",
    to="->",
    at_most="<=",
    at_least=">=",
    ellipsis="~",
    cursor=">",
    rising="^",
    falling="v",
    degree="C",
    border="ascii",
)
GLYPHS: Mapping[str, Glyphs] = {glyphs.name: glyphs for glyphs in (BRAILLE, BLOCK, ASCII)}


def choose(wanted: str, environment: Mapping[str, str], encoding: str) -> Glyphs:
    """Return the glyphs *wanted*; ``auto`` asks the terminal's *environment* and *encoding*."""
    if wanted != "auto":
        return GLYPHS[wanted]
    if "utf" not in encoding.lower() or environment.get("TERM") in {"dumb", "vt100", "vt220"}:
        return ASCII
    # The kernel's console has a font of 512 characters, without braille.
    return BLOCK if environment.get("TERM") == "linux" else BRAILLE
