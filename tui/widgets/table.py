"""A table of rows in sight: a heading, a cursor that keeps its row, and a place in the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.geometry import Size

from tui.paint import Line
from tui.widgets.pane import Pane, place

_LINES_OF_NONE = 2
"""How many lines say that there is no row."""

Rows = Callable[[int, int, int], Sequence[Line]]
"""Returns the lines from row number *first* on, for a width and a height."""


class Table(Pane):
    """Shows *heading* and below it the rows that *rows* makes; only those in sight are made.

    *count* tells how many rows there are, *cursor* which of them is chosen, -1 for none.
    """

    def __init__(
        self,
        *,
        heading: Callable[[int], Line],
        rows: Rows,
        count: Callable[[], int],
        cursor: Callable[[], int],
        id: str,  # noqa: A002 - Textual's name for it
        title: str,
    ) -> None:
        super().__init__(self._slice, id=id, title=title, subtitle=self._place)
        self._heading = heading
        self._rows = rows
        self._count = count
        self._cursor = cursor
        self._first = 0
        self._laid_out = 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return how many lines all rows take, for a table that is as high as these."""
        return 1 + (self._count() or _LINES_OF_NONE)

    def repaint(self) -> None:
        """Paint again; a table that is as high as its rows is laid out anew when these change."""
        if self.styles.is_auto_height and self._count() != self._laid_out:
            self._laid_out = self._count()
            self.refresh(layout=True)
        super().repaint()

    def _slice(self, width: int, height: int) -> Sequence[Line]:
        self._follow_cursor(height)
        return [self._heading(width), *self._rows(self._first, width, max(1, height - 1))]

    def _place(self, _width: int, height: int) -> Content:
        self._follow_cursor(height)
        return place(self._first, max(1, height - 1), self._count())

    def _follow_cursor(self, height: int) -> None:
        """Move the rows in sight so that the cursor is among them."""
        room, count, cursor = max(1, height - 1), self._count(), self._cursor()
        if cursor >= 0:
            self._first = max(min(self._first, cursor), cursor - room + 1)
        self._first = max(0, min(self._first, count - room))
