"""A figure as files hold it, and the style that all of them share."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.core.errors import MachineError

INK = "#7b828c"
"""Readable on white and on black; a page puts its own colour of text in its place."""

PALETTE = (
    "#3b82c4",
    "#e07b39",
    "#3a9d6e",
    "#c2557f",
    "#8a6fc9",
    "#b08d2f",
    "#2fa3a8",
    "#d14d41",
)
"""Colours that can be told apart on light and on dark paper."""

_WIDTH, _HEIGHT, _PANEL_HEIGHT, _LEGEND_ROW = 7.2, 4.0, 1.35, 0.18
_LEGEND_COLUMNS = 2
_HEADROOM = 1.08
_POINTS_AN_INCH = 72.0
_LABEL_SIZE = 7.0
_APART = (14.0, 8.0)
"""How far the beginnings of two labels are apart at least, in points: two digits, one line."""
_TEXT = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure as files hold it; *name* is a stem for them."""

    name: str
    title: str
    svg: str
    png: bytes


def drawn(
    name: str, title: str, draw: Callable[..., None], *subjects: Any, panels: int | None = None
) -> Drawing:
    """Return the figure that *draw* makes on empty axes, its first argument, of *subjects*.

    With *panels*, which share their horizontal axis, it gets a list of axes. The legend stands
    below, where it covers nothing. Raises MachineError when matplotlib is missing.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 - optional, and heavy
        from cycler import cycler  # noqa: PLC0415 - comes with it
        from matplotlib.figure import Figure  # noqa: PLC0415 - optional, and heavy
    except ImportError:
        raise MachineError("Figures need matplotlib; install edge-autotune[report].") from None
    style: Any = {
        "svg.hashsalt": "autotune",
        "svg.fonttype": "none",
        "font.size": 9.0,
        "axes.prop_cycle": cycler(color=PALETTE),
        **dict.fromkeys(_TEXT, INK),
    }
    with mpl.rc_context(style):
        height = _HEIGHT if panels is None else 0.6 + panels * _PANEL_HEIGHT
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        grid = figure.subplots(panels or 1, sharex=True, squeeze=False)[:, 0]
        for axes in grid:
            axes.grid(visible=True, color=INK, alpha=0.2, linewidth=0.6)
            axes.set_axisbelow(True)
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
        grid[0].set_title(title)
        draw(grid[0] if panels is None else list(grid), *subjects)
        _add_legend(figure, grid[0])
        svg, png = io.StringIO(), io.BytesIO()
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None})
        figure.savefig(png, format="png", dpi=150, facecolor="white")
    return Drawing(name=name, title=title, svg=svg.getvalue(), png=png.getvalue())


def spread(*axes: Any) -> None:
    """Give each of *axes*, such as ``axes.yaxis``, a logarithmic scale with plain numbers."""
    from matplotlib.ticker import LogLocator, StrMethodFormatter  # noqa: PLC0415 - as above

    for axis in axes:
        axis.axes.set(**{f"{axis.axis_name}scale": "log"})
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_locator(LogLocator(subs=()))


def from_zero(axes: Any) -> None:
    """Let the vertical axis begin at zero, with room for a whole mark at the highest value."""
    highest = axes.dataLim.y1
    if highest > 0.0:  # it is not where nothing is drawn
        axes.set_ylim(0.0, _HEADROOM * highest)


def whole(axis: Any) -> None:
    """Give *axis*, such as ``axes.xaxis``, ticks at whole numbers only."""
    axis.get_major_locator().set_params(integer=True)


def label_apart(axes: Any, labels: Sequence[tuple[str, float, float, str]]) -> None:
    """Write each of *labels*, a text at x and y in a colour, that lies over none before it.

    To be called when everything is drawn and the scales are set: they decide what is near.
    """
    axes.autoscale_view()
    taken: list[tuple[float, float]] = []
    for text, x, y, color in labels:
        across, up = axes.transData.transform((x, y)) * (_POINTS_AN_INCH / axes.figure.dpi)
        if all(abs(across - a) > _APART[0] or abs(up - u) > _APART[1] for a, u in taken):
            taken.append((across, up))
            axes.annotate(
                text,
                (x, y),
                xytext=(4, 3),
                textcoords="offset points",
                fontsize=_LABEL_SIZE,
                color=color,
            )


def _add_legend(figure: Any, axes: Any) -> None:
    """Name what *axes* show below all panels, and make room for it."""
    handles, labels = axes.get_legend_handles_labels()
    if not labels:
        return
    columns = min(_LEGEND_COLUMNS, len(labels))
    if max(map(len, labels)) < 20:
        columns = min(5, len(labels))
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + _LEGEND_ROW * -(-len(labels) // columns))
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=8.0,
        labelcolor=INK,
    )
