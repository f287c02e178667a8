"""One page with everything in it: it opens without a network, light and dark, and prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from autotuner.report.drawing import INK, Drawing
from autotuner.report.rows import Row

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --paper: #ffffff;
        --line: #d0d7de; --stripe: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9198a1; --paper: #0d1117; --line: #30363d; --stripe: #151b23; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0.2rem; }
h2 { font-size: 1.25rem; margin-top: 3rem; border-bottom: 1px solid var(--line); }
p, figcaption, caption { color: var(--soft); } ul { padding-left: 1.2rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(27rem, 1fr)); gap: 1rem; }
figure { margin: 0; break-inside: avoid; }
figure svg { width: 100%; height: auto; color: var(--ink); }
table { border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums;
        margin-top: 1rem; }
caption { text-align: left; padding-bottom: 4px; }
th, td { text-align: right; padding: 3px 8px; border-bottom: 1px solid var(--line);
         vertical-align: top; }
td { white-space: nowrap; }
td.long { white-space: normal; overflow-wrap: anywhere; min-width: 12em; }
th { font-weight: 600; vertical-align: bottom; }
tr:nth-child(even) td { background: var(--stripe); }
.text { text-align: left; }
.wide { overflow-x: auto; } .mark { font-weight: bold; color: var(--ink); }
@media print {
  :root { --ink: #000; --soft: #333; --paper: #fff; --line: #999; --stripe: #fff; }
  @page { size: A4; margin: 12mm; }
  body { margin: 0; padding: 0; max-width: none; font-size: 11px; }
  h2 { break-after: avoid; margin-top: 1.5rem; }
  .figures { grid-template-columns: 1fr 1fr; }
  .wide { overflow: visible; } table { font-size: 7.5px; } th, td { padding: 1px 4px; }
  td.text { white-space: normal; } td.long { min-width: 0; }
  tr { break-inside: avoid; } thead { display: table-header-group; }
}
"""
_BROKEN_AFTER = "_"
_LONG = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows, all with the same columns; *caption* says what they are."""

    caption: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page: remarks in words, drawings, and the numbers behind them."""

    title: str
    remarks: tuple[str, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    tables: tuple[Table, ...] = ()


def page(title: str, lead: str, sections: Iterable[Section], *, simulated: bool) -> str:
    """Return the HTML of a report; *lead* stands below the title, *simulated* is said there."""
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
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f"<p>{escape(lead)}</p>{mark}{body}</body></html>\n"
    )


def _section(section: Section) -> str:
    remarks = "".join(f"<li>{escape(remark)}</li>" for remark in section.remarks)
    listed = f"<ul>{remarks}</ul>" if remarks else ""
    drawings = "".join(f"<figure>{_inline(drawing)}</figure>" for drawing in section.drawings)
    shown = f'<div class="figures">{drawings}</div>' if drawings else ""
    tables = "".join(map(_table, section.tables))
    return f"<section><h2>{escape(section.title)}</h2>{listed}{shown}{tables}</section>"


def _inline(drawing: Drawing) -> str:
    """Return the drawing in the page's colour of text."""
    svg = drawing.svg[drawing.svg.index("<svg") :]
    return svg.replace(INK, "currentColor")


def _table(table: Table) -> str:
    """Return the rows as a table; a column that says the same in all of them goes up front."""
    rows = table.rows
    if not rows:
        return ""
    columns = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    same = [name for name in columns if len(rows) > 1 and len({str(r[name]) for r in rows}) == 1]
    columns = [name for name in columns if name not in same]
    common = ", ".join(f"{name} {_cell(rows[0][name])}" for name in same)
    caption = f"{table.caption} In every row: {common}." if same else table.caption
    texts = {name for name in columns if any(isinstance(row[name], str) for row in rows)}
    head = "".join(
        f'<th class="{"text" if name in texts else "number"}">{_breakable(name)}</th>'
        for name in columns
    )
    body = "".join(
        "<tr>" + "".join(_data(_cell(row[name]), text=name in texts) for name in columns) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _data(shown: str, *, text: bool) -> str:
    classes = ["text" if text else "number", *(["long"] if len(shown) > _LONG else [])]
    return f'<td class="{" ".join(classes)}">{escape(shown)}</td>'


def _breakable(name: str) -> str:
    """Let the name of a column be broken where it joins words."""
    return escape(name).replace(_BROKEN_AFTER, f"{_BROKEN_AFTER}<wbr>")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) and abs(value) < 1e4 else _whole(value)


def _whole(value: Any) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value)
