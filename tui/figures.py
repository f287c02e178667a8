"""Numbers as text of a fixed width, with their units; what is not known is two dashes."""

from __future__ import annotations

UNKNOWN = "--"


def number(value: float | None, width: int = 0) -> str:
    """Return *value* with about four digits, right-aligned in *width* columns, 0 for no padding."""
    if value is None:
        return UNKNOWN.rjust(width)
    size = abs(value)
    decimals = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 3
    text = f"{value:.{decimals}f}" if value else "0"
    if width and len(text) > width:
        text = f"{value / 1e6:.1f}M" if size >= 1e6 else f"{value / 1e3:.0f}k"
    return text.rjust(width)


def rate(value: float | None, width: int = 0) -> str:
    """Return a throughput in inferences per second."""
    return f"{number(value, width)}/s"


def milliseconds(value: float | None, width: int = 0) -> str:
    """Return a latency in ms."""
    return f"{number(value, width)} ms"


def mebibytes(value: float | None) -> str:
    """Return a size as MiB or GiB, eight columns wide."""
    if value is None:
        return UNKNOWN.rjust(8)
    return f"{value:4.0f} MiB" if value < 1000 else f"{value / 1024:4.1f} GiB"


def megahertz(value: float | None) -> str:
    """Return a clock as GHz, eight columns wide."""
    return f"{UNKNOWN:>4} GHz" if value is None else f"{value / 1000:4.2f} GHz"


def percent(value: float | None) -> str:
    """Return a share of 100, five columns wide."""
    return f"{UNKNOWN:>3} %" if value is None else f"{value:3.0f} %"


def clock(seconds: float) -> str:
    """Return a duration as m:ss or h:mm:ss."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ratio(value: float | None) -> str:
    """Return how many times something is another."""
    return UNKNOWN if value is None else f"{value:.2f}x"


def reading(value: float | None, unit: str, degree: str) -> tuple[str, str]:
    """Return a sensor's value, eight columns wide, and its unit; a flag is no or yes."""
    if unit == "flag" and value is not None:
        return ("yes" if value else "no").rjust(8), ""
    return number(value, 8), degree if unit == "C" else unit


def plain(value: float) -> str:
    """Return *value* as short as it can be written without an exponent: 50, 0.5, 12.25."""
    return f"{value:.4f}".rstrip("0").rstrip(".")
