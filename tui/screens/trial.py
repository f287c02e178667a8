"""One trial in full; beside it, where there is room, the table it comes from."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Container

from tui.paint import Line
from tui.panes import trial
from tui.screens.dashboard import TrialPage
from tui.widgets.pane import Pane, Scroll


class TrialDetail(TrialPage):
    """The page of the chosen trial."""

    page = "trial"
    parts = {  # noqa: RUF012 - declared a ClassVar in Page
        "job": ("trials", "detail"),
        "machine": ("detail",),
    }
    _asked: tuple[str, int] | None = None

    def body(self) -> ComposeResult:
        """Yield the table and the detail."""
        with Container(id="trialpage", classes="split"):
            table = self.table()
            table.add_class("boxed", "list")
            yield table
            yield Scroll(self._detail, id="detail", title="trial", classes="boxed detail")
        yield self.filter()

    def repaint_all(self) -> None:
        """Ask for what came of the chosen trial if that is not kept here."""
        super().repaint_all()
        self._fetch()

    def repaint(self, parts: Iterable[str]) -> None:
        """Do the same, as another one may be chosen now."""
        super().repaint(parts)
        self._fetch()

    def do(self, action: str) -> bool:
        """Scroll the detail; everything else is the table's."""
        detail = self.query_one("#detail", Scroll)
        if action in {"forward", "backward"}:
            detail.move(detail.size.height - 1 if action == "forward" else 1 - detail.size.height)
            return True
        return super().do(action)

    def wheel(self, pane: Pane, rows: int) -> None:
        """Scroll what the wheel was turned over."""
        if isinstance(pane, Scroll):
            pane.move(rows)
        else:
            super().wheel(pane, rows)

    def _fetch(self) -> None:
        job, chosen = self.session.job, self.session.chosen_trial()
        if job is None or chosen is None or chosen.running:
            return
        if job.trials.outcome(chosen.key) is not None:
            self._asked = None
        elif self._asked != (job.job, chosen.key):
            self._asked = job.job, chosen.key
            self.tui.feed.ask("outcome", str(chosen.key))

    def _detail(self, width: int) -> list[Line]:
        chosen = self.session.chosen_trial()
        pane = self.query_one("#detail", Scroll)
        if pane.border_title != trial.title(chosen):
            pane.border_title = trial.title(chosen)
        return trial.detail(self.session, chosen, width)
