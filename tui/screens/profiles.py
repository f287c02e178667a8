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
        elif action == "diff":
            self._mark()
        elif action == "back" and self.session.marked_profile is not None:
            self.session.marked = None
            self.repaint_all()
        else:
            return False
        return True

    def press(self, target: str) -> None:
        """Choose a profile that was clicked; a second click marks it."""
        kind, _, number = target.partition(":")
        if kind != "profile":
            super().press(target)
        elif int(number) == self.session.profile and len(self.session.profiles) > 1:
            self.tui.do("diff")
        else:
            self._choose(int(number))

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

    def _mark(self) -> None:
        """Mark the chosen profile, or none when it is the marked one."""
        chosen = self.session.chosen_profile
        assert chosen is not None
        if chosen.get("damaged"):
            self.tui.say("Not now: diff; this profile is damaged.", "warn")
            return
        self.session.marked = None if chosen is self.session.marked_profile else chosen["name"]
        self.repaint_all()

    def _fetch(self) -> None:
        wanted = (self.session.chosen_profile, self.session.marked_profile)
        names = [str(s["name"]) for s in wanted if s and not s.get("damaged")]
        if self.session.applied is not None:
            names.append(str(self.session.applied.get("profile")))
        for name in names:
            if name not in self.session.shown:
                self.session.shown[name] = {}
                self.tui.feed.ask("show", name)

    def _evidence(self, width: int) -> list[Line]:
        pane = self.query_one("#evidence", Scroll)
        if pane.border_title != profile.title(self.session):
            pane.border_title = profile.title(self.session)
        return profile.evidence(self.session, width)
