"""The machine in full: the daemon, what is applied, and every sensor."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container

from tui.paint import Line
from tui.panes import box
from tui.screens.page import Page
from tui.widgets.pane import Pane, Scroll


class MachinePage(Page):
    """The page of the machine."""

    page = "machine"
    parts = {  # noqa: RUF012 - declared a ClassVar in Page
        "machine": ("sensors",),
        "status": ("box",),
    }

    def body(self) -> ComposeResult:
        """Yield the box and its sensors."""
        with Container(id="machinepage", classes="split"):
            yield Scroll(self._box, id="box", title="box", classes="boxed list")
            yield Scroll(self._sensors, id="sensors", title="sensors", classes="boxed detail")

    def on_screen_resume(self) -> None:
        """Ask for a check-up of the machine."""
        super().on_screen_resume()
        self.tui.feed.ask("doctor", "")

    def do(self, action: str) -> bool:
        """Scroll the sensors."""
        pane = self.query_one("#sensors", Scroll)
        rows = {"down": 1, "up": -1, "forward": pane.size.height, "backward": -pane.size.height}
        if action in rows:
            pane.move(rows[action])
        elif action in {"top", "bottom"}:
            pane.move_to(0 if action == "top" else 1 << 30)
        else:
            return False
        return True

    def wheel(self, pane: Pane, rows: int) -> None:
        """Scroll what the wheel was turned over."""
        if isinstance(pane, Scroll):
            pane.move(rows)

    def _box(self, width: int) -> list[Line]:
        return box.box(self.session, width)

    def _sensors(self, width: int) -> list[Line]:
        return box.readings(self.session, width)
