"""Dialogues: a question that changes something, and the help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.geometry import Size
from textual.screen import ModalScreen

from tui.paint import BLANK, Line, Piece
from tui.widgets.pane import Pane, Scroll


class _Letter(Pane):
    """A pane as high as its text."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return how many lines the text takes."""
        return len(self._paint(width, 0))


class Dialogue(ModalScreen[bool]):
    """Asks whether to do something; *text* says for a width what it is, before and after."""

    BINDINGS: ClassVar = [
        Binding("y", "answer(True)"),
        Binding("n,escape,q", "answer(False)"),
    ]

    def __init__(self, title: str, text: Callable[[int], Sequence[Line]], yes: str) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._yes = yes

    def compose(self) -> ComposeResult:
        """Yield the question."""
        yield _Letter(self._lines, id="question", title=self._title)

    def action_answer(self, yes: bool) -> None:  # noqa: FBT001 - called by Textual
        """Close with the answer."""
        self.dismiss(yes)

    @on(Pane.Pressed)
    def _pressed(self, message: Pane.Pressed) -> None:
        if message.target in {"yes", "no"}:
            self.dismiss(message.target == "yes")

    def _lines(self, width: int, height: int) -> list[Line]:
        """Return the question above the answers; where there is no room its end is left out."""
        text = self._text(width)
        answers = (
            Piece(" y ", "key", "yes"),
            Piece(f"{self._yes}    ", "strong", "yes"),
            Piece(" n ", "key", "no"),
            Piece("no, leave it", "dim", "no"),
        )
        whole = [BLANK, *text, BLANK, answers, BLANK]
        return [*text[: height - 1], answers] if 0 < height < len(whole) else whole


class Help(ModalScreen[None]):
    """Every key and what it does; those that cannot be used now say why."""

    BINDINGS: ClassVar = [
        Binding("escape,q,question_mark,f1,enter", "close"),
        Binding("j,down", "move(1)"),
        Binding("k,up", "move(-1)"),
        Binding("g,home", "move(-10000)"),
        Binding("G,end", "move(10000)"),
        Binding("f,pagedown", "move(15)"),
        Binding("b,pageup", "move(-15)"),
    ]

    def __init__(self, text: Callable[[int], Sequence[Line]]) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Yield the text."""
        yield Scroll(self._text, id="help", title="help: Esc closes it", classes="boxed")

    def action_close(self) -> None:
        """Go back to the page."""
        self.dismiss(None)

    def action_move(self, rows: int) -> None:
        """Scroll."""
        self.query_one(Scroll).move(rows)

    @on(Pane.Wheeled)
    def _wheeled(self, message: Pane.Wheeled) -> None:
        self.action_move(message.rows)

    @on(Pane.Pressed)
    async def _pressed(self, message: Pane.Pressed) -> None:
        """Do what was clicked."""
        self.dismiss(None)
        await self.app.run_action(f"app.act('{message.target}')")
