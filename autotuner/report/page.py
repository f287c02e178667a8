"""One page with everything in it: it opens without a network, light and dark, and prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from autotuner.report.figures import Drawing

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --paper: #ffffff; --line: #d0d7de; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --line: #30363d; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
figure { margin: 1rem 0; break-inside: avoid; } figure svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 2px 8px; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
.wide { overflow-x: auto; } .mark { font-weight: bold; }
@media print { :root { --ink: #000; --paper: #fff; --line: #999; } body { margin: 0; }
  h2 { break-after: avoid; } .wide { overflow: visible; } }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page: remarks in words, drawings, and the numbers behind them."""

    title: str
    remarks: tuple[str, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    rows: Sequence[dict[str, Any]] = ()


def page(title: str, sections: Iterable[Section], *, simulated: bool) -> str:
    """Return the HTML of a report; *simulated* is said at its head."""
    mark = (
        '<p class="mark">Simulated: at least some of these figures were not measured.</p>'
        if simulated
        else ""
    )
    body = "".join(map(_section, sections))
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{mark}{body}</body></html>\n"
    )


def _section(section: Section) -> str:
    remarks = "".join(f"<li>{escape(remark)}</li>" for remark in section.remarks)
    drawings = "".join(
        f"<figure>{drawing.svg[drawing.svg.index('<svg') :]}</figure>"
        for drawing in section.drawings
    )
    listed = f"<ul>{remarks}</ul>" if remarks else ""
    return f"<h2>{escape(section.title)}</h2>{listed}{drawings}{_table(section.rows)}"


def _table(rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return ""
    columns = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(row[name]))}</td>" for name in columns) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.5g}" if isinstance(value, float) else str(value)
