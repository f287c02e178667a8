"""Panes of painted lines: only what has changed is sent to the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.paint import BLANK, Line, width_of

INKS = frozenset(
    {
        "bar",
        "bar-high",
        "bar-low",
        "best",
        "brand",
        "budget",
        "chosen",
        "cursor",
        "dim",
        "front",
        "good",
        "interval",
        "key",
        "key-off",
        "label",
        "live",
        "note",
        "off",
        "over",
        "rail",
        "running",
        "sorted",
        "strong",
        "tab",
        "tab-on",
        "title",
        "warn",
    }
)
"""Every ink that a piece may have; the style sheet gives each its colours."""


class Pane(Widget):
    """Shows what *paint* returns for its width and height; :meth:`repaint` asks it again."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(INKS)
    ALLOW_SELECT = False
    can_focus = False

    class Pressed(Message):
        """A click on a piece that has a target."""

        def __init__(self, target: str) -> None:
            super().__init__()
            self.target = target

    class Wheeled(Message):
        """The wheel was turned over *pane* by so many rows."""

        def __init__(self, pane: Pane, rows: int) -> None:
            super().__init__()
            self.pane = pane
            self.rows = rows

    def __init__(
        self,
        paint: Callable[[int, int], Sequence[Line]],
        *,
        id: str | None = None,  # noqa: A002 - Textual's name for it
        title: str = "",
        subtitle: Callable[[int, int], Content] | None = None,
        classes: str = "",
    ) -> None:
        super().__init__(id=id, classes=f"pane {classes}".strip())
        self._paint = paint
        self._subtitle = subtitle
        self._lines: list[Line] = []
        self._painted = Size(0, 0)
        self._styles: dict[str, Style] = {}
        self._titled = Content()
        self.border_title = title

    def repaint(self) -> None:
        """Paint again and send the lines that have changed, from the first piece that has."""
        self._retitle()
        if not self.is_attached or not self.display or self.size != self._painted:
            return  # painted anew when it is next drawn
        before, self._lines = self._lines, self._painted_lines()
        changed = [
            Region(start, y, end - start, 1)
            for y in range(self.size.height)
            if (span := _changed(_at(before, y), _at(self._lines, y), self.size.width)) is not None
            for start, end in [span]
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """Return one line for the terminal."""
        if self.size != self._painted:
            self._painted = self.size
            self._lines = self._painted_lines()
        segments = [Segment(piece.text, self._style(piece.ink)) for piece in _at(self._lines, y)]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        """Forget the styles of the inks, as the theme is another one now."""
        super().notify_style_update()
        self._styles.clear()

    def _style(self, ink: str) -> Style:
        """Return the style of all names in *ink* together, a later one over an earlier one."""
        if ink not in self._styles:
            parts = [self.get_component_rich_style(name, partial=True) for name in ink.split()]
            self._styles[ink] = Style.combine([self.rich_style, *parts])
        return self._styles[ink]

    def _on_resize(self, _event: events.Resize) -> None:
        self._retitle()

    def _retitle(self) -> None:
        """Write what stands in the lower border, if it has changed."""
        if self._subtitle is not None:
            words = self._subtitle(self.size.width, self.size.height)
            if words != self._titled:
                self._titled = words
                self.border_subtitle = words.markup

    def _painted_lines(self) -> list[Line]:
        return list(self._paint(self.size.width, self.size.height))

    async def _on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        x = offset.x
        for piece in _at(self._lines, offset.y):
            x -= width_of([piece])
            if x < 0:
                if piece.target:
                    self.post_message(self.Pressed(piece.target))
                return

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Wheeled(self, 3))

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Wheeled(self, -3))


class Scroll(Pane):
    """A pane whose text may be longer than it is high; *paint* gets the width and makes it all."""

    def __init__(
        self,
        paint: Callable[[int], Sequence[Line]],
        *,
        id: str | None = None,  # noqa: A002 - as above
        title: str = "",
        classes: str = "",
    ) -> None:
        super().__init__(self._slice, id=id, title=title, subtitle=self._place, classes=classes)
        self._whole = paint
        self._first = 0

    def move(self, rows: int) -> None:
        """Show the text so many *rows* further down."""
        self._first += rows
        self.repaint()

    def move_to(self, row: int) -> None:
        """Show the text from *row* on."""
        self._first = row
        self.repaint()

    def _slice(self, width: int, height: int) -> Sequence[Line]:
        lines = self._whole(width)
        self._first = max(0, min(self._first, len(lines) - height))
        return lines[self._first : self._first + height]

    def _place(self, width: int, height: int) -> Content:
        lines = len(self._whole(width))
        return place(max(0, min(self._first, lines - height)), height, lines)


def place(first: int, height: int, count: int) -> Content:
    """Say which part of *count* rows is in sight, nothing when it is the whole."""
    if count <= height:
        return Content()
    return Content(f"{first + 1}-{min(count, first + height)} of {count}")


def _at(lines: Sequence[Line], y: int) -> Line:
    return lines[y] if y < len(lines) else BLANK


def _changed(before: Line, after: Line, width: int) -> tuple[int, int] | None:
    """Return the columns from the first to behind the last that differ, None when none does."""
    if before == after:
        return None
    start = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        start += width_of([old])
    if width_of(before) != width_of(after):
        return min(start, width), width
    end = width_of(after)
    for old, new in zip(reversed(before), reversed(after), strict=False):
        if old != new:
            break
        end -= width_of([old])
    return (start, end) if start < end else None
