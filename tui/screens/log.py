"""The log: what happened, in words, from the first event on."""

from __future__ import annotations

from textual.app import ComposeResult

from tui.paint import Line
from tui.panes import log
from tui.screens.page import Page
from tui.widgets.pane import Pane


class LogPage(Page):
    """The page of the log; it stays at the newest line unless scrolled back."""

    page = "log"
    parts = {"job": ("whole",)}  # noqa: RUF012 - declared a ClassVar in Page
    back = 0

    def body(self) -> ComposeResult:
        """Yield the log."""
        yield Pane(self._log, id="whole", title="log", classes="boxed")

    def do(self, action: str) -> bool:
        """Scroll; the newest line is the bottom."""
        page = self.query_one("#whole").size.height
        steps = {"down": -1, "up": 1, "forward": -page, "backward": page, "top": 1 << 30}
        if action == "bottom":
            self.back = 0
        elif action in steps:
            self.back = max(0, self.back + steps[action])
        else:
            return False
        self.repaint_all()
        return True

    def wheel(self, pane: Pane, rows: int) -> None:  # noqa: ARG002 - there is one pane
        """Scroll."""
        self.back = max(0, self.back - rows)
        self.repaint_all()

    def _log(self, width: int, height: int) -> list[Line]:
        self.back = log.clamped(self.session, width, height, self.back)
        return log.log(self.session, width, height, self.back)
