"""What all pages share: the banner, the row of keys, and the way they are kept up to date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.screen import Screen

from tui.paint import Line
from tui.panes import banner, keys
from tui.session import Session
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from tui.app import TerminalApp


class Page(Screen[None]):
    """A page; its panes are painted anew when the part of the session changes that they show."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - as Textual declares it
        (0, "-narrow"),
        (80, "-normal"),
        (110, "-wide"),
        (180, "-huge"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - as above
        (0, "-tiny"),
        (16, "-low"),
        (22, "-usual"),
        (34, "-tall"),
        (48, "-high"),
    ]

    AUTO_FOCUS = ""  # keys are actions, unless a field is opened

    page: ClassVar[str] = ""
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Which panes, by id, show a part: ``job machine status profiles clock``."""

    @property
    def tui(self) -> TerminalApp:
        """The application."""
        from tui.app import TerminalApp  # noqa: PLC0415 - the app imports its pages

        assert isinstance(self.app, TerminalApp)
        return self.app

    @property
    def session(self) -> Session:
        """What is shown."""
        return self.tui.session

    def compose(self) -> ComposeResult:
        """Put the body between banner and keys."""
        yield Pane(self._banner, id="banner")
        yield from self.body()
        yield Pane(self._keys, id="keys")

    def body(self) -> ComposeResult:
        """Yield the panes of this page."""
        yield from ()

    def do(self, action: str) -> bool:  # noqa: ARG002 - for the pages to answer
        """Carry out *action* on this page; return whether it means anything here."""
        return False

    def press(self, target: str) -> None:
        """Carry out what a click on *target* means; most targets are actions."""
        self.tui.do(target)

    def wheel(self, pane: Pane, rows: int) -> None:
        """Move by *rows* where the wheel was turned."""

    def repaint(self, parts: Iterable[str]) -> None:
        """Paint the panes that show *parts*."""
        names = {name for part in parts for name in self.parts.get(part, ())}
        if self.session.frozen_at is not None:
            names = set()
        for pane in self.query(Pane):
            if pane.id in names or pane.id in {"banner", "keys"}:
                pane.repaint()

    def repaint_all(self) -> None:
        """Paint everything."""
        for pane in self.query(Pane):
            pane.repaint()

    def on_screen_resume(self) -> None:
        """Catch up with what changed while another page was shown."""
        self.suit_terminal()
        self.repaint_all()

    def suit_terminal(self) -> None:
        """Let the style sheet know of the glyphs, and whether the plot is wanted."""
        self.set_class(self.session.glyphs.border == "ascii", "-ascii")
        self.set_class(not self.tui.plot, "-no-plot")

    @on(Pane.Pressed)
    def _pressed(self, message: Pane.Pressed) -> None:
        self.press(message.target)

    @on(Pane.Wheeled)
    def _wheeled(self, message: Pane.Wheeled) -> None:
        self.wheel(message.pane, message.rows)

    def _banner(self, width: int, _height: int) -> list[Line]:
        return banner.banner(self.session, self.page, self.tui.page_keys, width)

    def _keys(self, width: int, _height: int) -> list[Line]:
        if self.tui.message is not None:
            return [keys.message(*self.tui.message, width, self.session.glyphs)]
        situation = self.session.situation(self.page)
        return [keys.row(self.tui.actions, self.page, situation, width, self.session.glyphs)]
