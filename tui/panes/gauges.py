"""The machine at a glance: a value and its recent history on each line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui import figures, sensors
from tui.glyphs import Glyphs
from tui.paint import Line, Piece, fit, graph, strip
from tui.sensors import Reading, Sensors
from tui.session import Session

_LABEL, _VALUE, _SECOND = 8, 8, 11
_MOST_ROWS = 2
_TOP_OF_TEMPERATURE_C = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """One line: a name, one or two values, and the history of the first from *low* to *high*.

    *known* is false where there is only a reason, *first* where others of its kind tell more.
    """

    label: str
    value: str
    second: str = ""
    history: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 100.0
    ink: str = "bar"
    known: bool = True
    first: bool = True


def gauges(session: Session, width: int, height: int) -> list[Line]:
    """Return the machine's gauges for a pane of this size.

    Where there is room the histories are drawn several lines high; where there is not the CPUs
    share one line, and then what is least telling is left out.
    """
    readings, glyphs = session.sensors, session.glyphs
    if readings.t is None:
        return [(Piece(" no readings yet", "dim"),)]
    cores, others = _cores(readings), _others(session)
    second = any(gauge.second and gauge.history for gauge in (*cores, *others))
    taken = _LABEL + _VALUE + (_SECOND if second else 1)
    first = [gauge for gauge in others if gauge.first]
    together: list[Line] = []
    shown = [*cores, *others]
    if len(shown) > height:
        shown = [*cores, *first]
    if len(shown) > height:
        together = _together(readings, (width, taken), glyphs)
        shown = others if len(together) + len(others) <= height else first
        shown = shown[: max(0, height - len(together))]
    drawn = sum(bool(gauge.history) for gauge in shown)
    each, rest = divmod(max(0, height - len(together) - len(shown)), max(1, drawn))
    lines = together
    for gauge in shown:
        rows = min(_MOST_ROWS, 1 + each + (rest > 0)) if gauge.history else 1
        rest -= bool(gauge.history)
        lines += _lines(gauge, (width, taken), rows, glyphs)
    return lines


def _cores(readings: Sensors) -> list[Gauge]:
    return [
        Gauge(
            label=f"cpu{core}",
            value=figures.percent(readings.value(f"cpu{core}.utilisation_percent")),
            second=_clock(readings.value(f"cpu{core}.clock_mhz")),
            history=readings.recent(f"cpu{core}.utilisation_percent"),
        )
        for core in readings.cores()
    ]


def _together(readings: Sensors, size: tuple[int, int], glyphs: Glyphs) -> list[Line]:
    """Return all CPUs in few lines, one column for each beside their mean."""
    width, taken = size
    cores = readings.cores()
    if not cores:
        return []
    values = [readings.value(f"cpu{core}.utilisation_percent") for core in cores]
    clocks = [readings.value(f"cpu{core}.clock_mhz") for core in cores]
    mean = sensors.mean(v for v in values if v is not None)
    clock = sensors.mean(v for v in clocks if v is not None)
    head = Gauge(label=f"{len(cores)} cpus", value=figures.percent(mean), second=_clock(clock))
    bars = strip([v or 0.0 for v in values], len(values), 0.0, 100.0, glyphs)
    room = max(1, width - taken - 1)
    wide = max(1, min(4, room // len(bars)))
    cells = [bar * (wide - 1) + " " if wide > 1 else bar for bar in bars]
    fitting = room // wide
    first, *rest = ["".join(cells[i : i + fitting]) for i in range(0, len(cells), fitting)]
    lines: list[Line] = [(*_head(head, taken), Piece(first, "bar"))]
    return [*lines, *((Piece(" " * taken), Piece(part, "bar")) for part in rest)]


def _others(session: Session) -> list[Gauge]:
    readings = session.sensors
    found = []
    if not readings.cores():
        found += [
            Gauge(
                label="cpu",
                value=figures.percent(reading.value),
                history=_recent(readings, reading),
            )
            for reading in readings.of_kind("cpu")
            if reading.unit in {"%", "percent"}
        ]
    found += _gpus(readings)
    found += _memory(readings)
    found += _power(readings)
    found += _temperature(session)
    found += _throttling(readings)
    found.append(Gauge(label="mode", value=_mode(session)))
    return found + _silent(readings)


def _mode(session: Session) -> str:
    """Return the power mode: the running trial's, else the applied profile's."""
    view = session.job
    simulated = view is not None and view.started is not None and view.started.simulated
    mode = (session.applied or {}).get("power_mode")
    if view is not None and view.now is not None and not simulated:
        mode = view.now.config.power_mode
    return "as found" if mode in {None, "present"} else str(mode)


def _gpus(readings: Sensors) -> list[Gauge]:
    found = []
    for device in sorted({r.device for r in readings.of_kind("gpu")}):
        use = _first(readings, device, "utilisation_percent", "percent")
        clock = _first(readings, device, "clock_mhz", "sm_clock_mhz")
        if use is None or use.value is None:
            why = next((r.why for r in readings.now.values() if r.device == device and r.why), "")
            if use is not None:
                found.append(Gauge(label=device, value=figures.UNKNOWN, second=why, known=False))
            continue
        found.append(
            Gauge(
                label=device,
                value=figures.percent(use.value),
                second=_clock(clock.value if clock else None),
                history=_recent(readings, use),
            )
        )
        memory = _first(readings, device, "memory_used_mib")
        total = readings.value(f"{device}.memory_total_mib")
        if memory is not None and memory.value is not None:
            found.append(_size("g-mem", memory, total, readings))
    return found


def _memory(readings: Sensors) -> list[Gauge]:
    used = _first(readings, "memory", "used_mib")
    if used is None or used.value is None:
        return []
    free = readings.value("memory.available_mib")
    total = None if free is None else used.value + free
    return [_size("mem", used, readings.value("memory.total_mib") or total, readings)]


def _size(label: str, used: Reading, total: float | None, readings: Sensors) -> Gauge:
    history = _recent(readings, used)
    of = f"of {total / 1024:.0f} GiB" if total else ""
    return Gauge(
        label=label,
        value=figures.mebibytes(used.value),
        second=of,
        history=history,
        high=total or max(history, default=1.0) * 1.25,
    )


def _power(readings: Sensors) -> list[Gauge]:
    rails = [r for r in readings.now.values() if r.name.endswith("_w") and "limit" not in r.name]
    known = [r for r in rails if r.value is not None]
    if not known:
        why = next((r.why for r in rails if r.why), "")
        return [Gauge(label="power", value=figures.UNKNOWN, second=why, known=False)] if why else []
    return [
        Gauge(
            label="power",
            value=f"{figures.number(rail.value, 5)} W",
            second=rail.name.removesuffix("_w").removeprefix("power").strip("._"),
            history=(history := _recent(readings, rail)),
            high=max(history) * 1.25 or 1.0,
            first=place == 0,
        )
        for place, rail in enumerate(
            sorted(known, key=lambda r: (not r.name.startswith("power.total"), r.name))
        )
    ]


def _temperature(session: Session) -> list[Gauge]:
    readings = session.sensors
    zones = [r for r in readings.now.values() if r.name.endswith("_c")]
    known = sorted((r for r in zones if r.value is not None), key=lambda r: -(r.value or 0.0))
    if not known:
        why = next((r.why for r in zones if r.why), "")
        return [Gauge(label="temp", value=figures.UNKNOWN, second=why, known=False)] if why else []
    return [
        Gauge(
            label="temp",
            value=f"{zone.value:3.0f} {session.glyphs.degree}",
            second=zone.name.removesuffix("_c").removeprefix("temperature").strip("._"),
            history=_recent(readings, zone),
            low=20.0,
            high=_TOP_OF_TEMPERATURE_C,
            ink="bar" if (zone.value or 0.0) < 80.0 else "over",
            first=place == 0,
        )
        for place, zone in enumerate(known)
    ]


def _throttling(readings: Sensors) -> list[Gauge]:
    flags = [r for r in readings.now.values() if r.unit == "flag" and r.value is not None]
    if not flags:
        return []
    active = [r for r in flags if r.value]
    if not active:
        return [Gauge(label="limits", value="none")]
    words = ", ".join(r.device for r in active)
    return [Gauge(label="limits", value="THROTTLED", second=words, ink="over")]


def _silent(readings: Sensors) -> list[Gauge]:
    """Return the reasons why something that people look for is not shown."""
    wanted = {"cpu.clock_mhz": "clock"}
    return [
        Gauge(label=name, value=figures.UNKNOWN, second=reading.why or "", known=False)
        for sensor, name in wanted.items()
        if (reading := readings.now.get(sensor)) is not None and reading.value is None
    ]


def _lines(gauge: Gauge, size: tuple[int, int], rows: int, glyphs: Glyphs) -> list[Line]:
    """Return the line of *gauge*, or *rows* of them when its history is drawn that high."""
    width, taken = size
    if not gauge.history:
        head = (*_head(gauge, _LABEL + _VALUE), Piece(f" {gauge.second}", _ink_of_second(gauge)))
        return [fit(head, width, glyphs)]
    room = max(0, width - taken - 1)
    if room == 0:
        return [fit(_head(gauge, taken), width, glyphs)]
    drawn = graph(gauge.history, (room, rows), gauge.low, gauge.high, glyphs)
    inks = [gauge.ink] if rows == 1 else [_level(gauge, row, rows) for row in range(rows)]
    first: Line = (*_head(gauge, taken), Piece(drawn[0], inks[0]))
    below = zip(drawn[1:], inks[1:], strict=True)
    return [first, *((Piece(" " * taken), Piece(text, ink)) for text, ink in below)]


def _level(gauge: Gauge, row: int, rows: int) -> str:
    """Return the ink of a row of a high graph, the first being the top."""
    if gauge.ink != "bar":
        return gauge.ink
    return ("bar-high", "bar", "bar-low")[min(2, row * 3 // rows)]


def _head(gauge: Gauge, taken: int) -> tuple[Piece, ...]:
    pieces = (
        Piece(f" {gauge.label:<{_LABEL - 1}}", "label"),
        Piece(f"{gauge.value:>{_VALUE}}", "strong" if gauge.known else "dim"),
    )
    room = taken - _LABEL - _VALUE
    if room <= 1:
        return (*pieces, Piece(" " * room))
    return (*pieces, Piece(f" {gauge.second[: room - 2]:<{room - 1}}", _ink_of_second(gauge)))


def _ink_of_second(gauge: Gauge) -> str:
    return "dim" if gauge.ink != "over" else "over"


def _clock(value: float | None) -> str:
    return "" if value is None else figures.megahertz(value)


def _first(readings: Sensors, device: str, *quantities: str) -> Reading | None:
    found: Sequence[Reading] = [
        reading
        for quantity in quantities
        for reading in readings.now.values()
        if reading.device == device and reading.quantity == quantity
    ]
    return next(iter(found), None)


def _recent(readings: Sensors, reading: Reading) -> tuple[float, ...]:
    return readings.recent(reading.name)
