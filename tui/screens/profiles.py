"""The profiles: the list, the evidence of the chosen one, apply and restore."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container

from tui.paint import Line
from tui.panes import profile
from tui.screens.page import Page
from tui.widgets.pane import Pane, Scroll
from tui.widgets.table import Table


class ProfilesPage(Page):
    """The page of profiles."""

    page = "profiles"
    parts = {  # noqa: RUF012 - declared a ClassVar in Page
        "profiles": ("list", "evidence"),
        "status": ("list", "evidence"),
    }

    def body(self) -> ComposeResult:
        """Yield the list and the evidence."""
        with Container(id="profilespage", classes="split"):
            table = Table(
                heading=profile.heading,
                rows=lambda first, width, height: profile.rows(self.session, first, width, height),
                count=lambda: len(self.session.profiles),
                cursor=lambda: self.session.profile,
                id="list",
                title="profiles",
            )
            table.add_class("boxed", "list")
            yield table
            yield Scroll(self._evidence, id="evidence", title="evidence", classes="boxed detail")

    def on_screen_resume(self) -> None:
        """Ask for the profiles as they are now."""
        super().on_screen_resume()
        self.tui.feed.ask("profiles", "")
        self._fetch()

    def repaint(self, parts: object) -> None:
        """Ask for the profile under the cursor if it is not there yet."""
        super().repaint(parts)  # type: ignore[arg-type]
        self._fetch()

    def do(self, action: str) -> bool:
        """Move in the list, or scroll the evidence."""
        last = len(self.session.profiles) - 1
        now = self.session.profile
        places = {"down": now + 1, "up": now - 1, "top": 0, "bottom": last}
        if action in places:
            self._choose(places[action])
        elif action in {"forward", "backward"}:
            detail = self.query_one("#evidence", Scroll)
            detail.move(detail.size.height - 1 if action == "forward" else 1 - detail.size.height)
        else:
            return False
        return True

    def press(self, target: str) -> None:
        """Choose a profile that was clicked."""
        kind, _, number = target.partition(":")
        if kind == "profile":
            self._choose(int(number))
        else:
            super().press(target)

    def wheel(self, pane: Pane, rows: int) -> None:
        """Scroll what the wheel was turned over."""
        if isinstance(pane, Scroll):
            pane.move(rows)
        else:
            self._choose(self.session.profile + (1 if rows > 0 else -1))

    def _choose(self, place: int) -> None:
        self.session.profile = max(0, min(len(self.session.profiles) - 1, place))
        self._fetch()
        self.repaint_all()

    def _fetch(self) -> None:
        names = [
            str(s["name"]) for s in [self.session.chosen_profile] if s and not s.get("damaged")
        ]
        if self.session.applied is not None:
            names.append(str(self.session.applied.get("profile")))
        for name in names:
            if name not in self.session.shown:
                self.session.shown[name] = {}
                self.tui.feed.ask("show", name)

    def _evidence(self, width: int) -> list[Line]:
        return profile.evidence(self.session, width)
