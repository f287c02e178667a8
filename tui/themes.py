"""Colours: dark, light and the terminal's own sixteen; blue and orange tell good from bad."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES, Theme

_DARK = {
    "ink-text": "#d3dae6",
    "ink-dim": "#7d8799",
    "ink-off": "#4d5566",
    "ink-label": "#93a1b8",
    "ink-strong": "#f2f5fa",
    "ink-title": "#9ecbff",
    "ink-good": "#58a6ff",
    "ink-over": "#f0883e",
    "ink-budget": "#f0883e",
    "ink-best": "#ffd75e",
    "ink-front": "#7ee0d0",
    "ink-live": "#7ee0d0",
    "ink-warn": "#f2cc60",
    "ink-key": "#ffd75e",
    "ink-bar": "#4f9bf0",
    "ink-bar-high": "#74c7e8",
    "ink-bar-low": "#3a6fc4",
    "ink-rail": "#343c4b",
    "ink-border": "#39424f",
    "ink-cursor": "#22344f",
    "ink-brand": "#0f1319",
    "ink-brand-ground": "#58a6ff",
    "ink-ground": "#0f1319",
}
_LIGHT = {
    "ink-text": "#24292f",
    "ink-dim": "#656d76",
    "ink-off": "#a8b0b9",
    "ink-label": "#4f5b6b",
    "ink-strong": "#0b0f14",
    "ink-title": "#0a58ca",
    "ink-good": "#0969da",
    "ink-over": "#bc4c00",
    "ink-budget": "#bc4c00",
    "ink-best": "#8a5a00",
    "ink-front": "#0b7a75",
    "ink-live": "#0b7a75",
    "ink-warn": "#8a5a00",
    "ink-key": "#8a3ffc",
    "ink-bar": "#2f81d6",
    "ink-bar-high": "#1b62b0",
    "ink-bar-low": "#5aa2e6",
    "ink-rail": "#d0d7de",
    "ink-border": "#c4ccd5",
    "ink-cursor": "#d8e8fb",
    "ink-brand": "#ffffff",
    "ink-brand-ground": "#0969da",
    "ink-ground": "#fbfcfd",
}
_ANSI = {
    "ink-text": "ansi_default",
    "ink-dim": "ansi_bright_black",
    "ink-off": "ansi_bright_black",
    "ink-label": "ansi_cyan",
    "ink-strong": "ansi_default",
    "ink-title": "ansi_blue",
    "ink-good": "ansi_bright_blue",
    "ink-over": "ansi_red",
    "ink-budget": "ansi_red",
    "ink-best": "ansi_yellow",
    "ink-front": "ansi_cyan",
    "ink-live": "ansi_cyan",
    "ink-warn": "ansi_yellow",
    "ink-key": "ansi_yellow",
    "ink-bar": "ansi_blue",
    "ink-bar-high": "ansi_blue",
    "ink-bar-low": "ansi_blue",
    "ink-rail": "ansi_bright_black",
    "ink-border": "ansi_bright_black",
    "ink-cursor": "ansi_blue",
    "ink-brand": "ansi_black",
    "ink-brand-ground": "ansi_blue",
    "ink-ground": "ansi_default",
}


def _theme(name: str, inks: dict[str, str], *, dark: bool, ansi: bool = False) -> Theme:
    return Theme(
        name=name,
        primary=inks["ink-good"],
        secondary=inks["ink-front"],
        warning=inks["ink-warn"],
        error=inks["ink-over"],
        success=inks["ink-good"],
        accent=inks["ink-best"],
        foreground=inks["ink-text"],
        background=inks["ink-ground"],
        surface=inks["ink-ground"],
        panel=inks["ink-ground"],
        dark=dark,
        ansi=ansi,
        variables={**BUILTIN_THEMES["ansi-dark"].variables, **inks} if ansi else inks,
    )


THEMES = {
    "dark": _theme("autotune-dark", _DARK, dark=True),
    "light": _theme("autotune-light", _LIGHT, dark=False),
    "ansi": _theme("autotune-ansi", _ANSI, dark=True, ansi=True),
}
DEFAULTS = _DARK
