"""The dashboard: the machine, the search and the trials at a glance."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widgets import Input

from tui.paint import Line
from tui.panes import gauges, log, scatter, search, trials
from tui.ranking import SORTS
from tui.screens.page import Page
from tui.widgets.pane import Pane
from tui.widgets.table import Table


class TrialPage(Page):
    """A page with the table of trials: its cursor, its order and its filter."""

    def table(self) -> Table:
        """Return the table of trials."""
        return Table(
            heading=lambda width: trials.heading(self.session, width),
            rows=self._rows,
            count=lambda: len(self.session.rows()),
            cursor=self.session.cursor,
            id="trials",
            title="trials",
        )

    def filter(self) -> Input:
        """Return the field for the filter, which is hidden at first."""
        words = "words to look for, such as: 2 workers compact"
        field = Input(placeholder=words, id="filter", disabled=True)
        field.cursor_blink = False
        return field

    def do(self, action: str) -> bool:
        """Move in the table, sort and filter it."""
        rows = self.session.rows()
        last = len(rows) - 1
        cursor = self.session.cursor()
        places = {"down": cursor + 1, "up": cursor - 1, "top": 0, "bottom": last}
        if action in places:
            if rows:
                self._choose(rows[max(0, min(last, places[action]))].key)
        elif action == "sort":
            self._sort(SORTS[(SORTS.index(self.session.sort) + 1) % len(SORTS)])
        elif action == "reverse":
            self.session.reverse = not self.session.reverse
            self.repaint_all()
        elif action == "filter":
            self._open_filter()
        elif action == "back" and (self.session.words or self._field.has_class("-open")):
            self._field.value = ""
            self._close_filter()
        else:
            return False
        return True

    def press(self, target: str) -> None:
        """Choose a trial or a column that was clicked; a second click opens the trial."""
        kind, _, name = target.partition(":")
        if kind == "trial":
            if self.session.trial == int(name):
                self.tui.do("open")
            else:
                self._choose(int(name))
        elif kind == "sort":
            if name == self.session.sort:
                self.session.reverse = not self.session.reverse
            else:
                self._sort(name)
            self.repaint_all()
        else:
            super().press(target)

    def wheel(self, pane: Pane, rows: int) -> None:
        """Move the cursor of the table."""
        if pane.id == "trials":
            for _ in range(abs(rows)):
                self.do("down" if rows > 0 else "up")

    def _rows(self, first: int, width: int, height: int) -> list[Line]:
        cursor = self.session.cursor()
        return trials.rows(self.session, self.session.rows(), first, cursor, width, height)

    def _choose(self, key: int) -> None:
        self.session.trial = key
        self.repaint_all()

    def _sort(self, name: str) -> None:
        self.session.sort, self.session.reverse = name, False
        self.repaint_all()

    @property
    def _field(self) -> Input:
        return self.query_one("#filter", Input)

    def _open_filter(self) -> None:
        self._field.disabled = False
        self._field.add_class("-open")
        self._field.focus()

    def _close_filter(self) -> None:
        self._field.remove_class("-open")
        self._field.disabled = True
        self.set_focus(None)

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        self.session.words = event.value
        self.query_one("#trials", Table).border_title = (
            f"trials with {event.value!r}" if event.value else "trials"
        )
        self.repaint_all()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self._close_filter()

    def key_escape(self) -> None:
        """Leave the field of the filter, where keys are text."""
        if self._field.has_focus:
            self.tui.do("back")


class Dashboard(TrialPage):
    """Machine, search, plot, trials and log on one page."""

    page = "dashboard"
    parts = {  # noqa: RUF012 - declared a ClassVar in Page
        "job": ("search", "scatter", "trials", "log"),
        "machine": ("machine",),
        "status": ("machine", "search"),
        "clock": ("search",),
    }

    def body(self) -> ComposeResult:
        """Yield the five panes; the style sheet places them."""
        with Container(id="dashboard"):
            yield Pane(self._gauges, id="machine", title="machine", classes="boxed")
            yield Pane(self._search, id="search", title="search", classes="boxed")
            yield Pane(
                self._scatter,
                id="scatter",
                title="throughput/s by latency ms",
                subtitle=self._legend,
                classes="boxed",
            )
            table = self.table()
            table.add_class("boxed")
            yield table
            yield Pane(self._log, id="log", title="log", classes="boxed")
        yield self.filter()

    def _gauges(self, width: int, height: int) -> list[Line]:
        return gauges.gauges(self.session, width, height)

    def _search(self, width: int, height: int) -> list[Line]:
        return search.search(self.session, width, height)

    def _scatter(self, width: int, height: int) -> list[Line]:
        return scatter.scatter(self.session, width, height)

    def _legend(self, width: int, _height: int) -> Content:
        pieces = scatter.legend(self.session, width)
        return Content.assemble(*((p.text, f"$ink-{p.ink}" if p.ink else "") for p in pieces))

    def _log(self, width: int, height: int) -> list[Line]:
        return log.latest(self.session, width, height)
