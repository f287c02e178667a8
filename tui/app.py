"""The application: news in, wishes out, one page at a time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.filter import LineFilter, NoColor
from textual.message import Message
from textual.screen import Screen

from autotuner.core import actions as table
from autotuner.core.actions import Action
from tui import clipping, export, themes
from tui.news import Answer, Feed, News, Recalled, Shown, take
from tui.paint import Line
from tui.panes import keys, question
from tui.panes.question import Question
from tui.screens.dashboard import Dashboard
from tui.screens.dialogue import Dialogue, Help
from tui.screens.log import LogPage
from tui.screens.machine import MachinePage
from tui.screens.page import Page
from tui.screens.profiles import ProfilesPage
from tui.screens.trial import TrialDetail
from tui.session import Session

_MESSAGE_S = 5.0
_MOST_NEWS = 2000
"""So much news is taken in one go; then keys have their turn."""


class NewsCame(Message):
    """There is news to fetch; one of these is as good as many."""

    def can_replace(self, message: Message) -> bool:
        """Say that a later one makes an earlier one superfluous."""
        return isinstance(message, NewsCame)


class TerminalApp(App[None]):
    """Shows *session* and keeps it up to date from *feed*.

    *interval_s* is how often anything is painted at most; *clock* tells the time in seconds since
    1970.
    """

    CSS_PATH = "app.tcss"
    TITLE = "edge-autotune"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+underscore"  # the palette's keys stand in the table of actions
    MODES: ClassVar = {
        "dashboard": Dashboard,
        "trial": TrialDetail,
        "profiles": ProfilesPage,
        "machine": MachinePage,
        "log": LogPage,
    }
    DEFAULT_MODE = "dashboard"

    def __init__(
        self,
        session: Session,
        feed: Feed,
        *,
        actions: Sequence[Action] = table.ACTIONS,
        theme: str = "dark",
        interval_s: float = 1.0,
        plot: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.actions = list(actions)
        self.page_keys = {a.id: keys.printed(a.keys[0]) for a in actions if a.group == "pages"}
        super().__init__()
        self.session = session
        self.feed = feed
        self.message: tuple[str, str] | None = None
        self._interval_s = interval_s
        self._clock = clock
        self.plot = plot
        self._news: deque[News] = deque()
        self._due: set[str] = set()
        self._painted_at = float("-inf")
        self._waiting = False
        self._message_until = 0.0
        for known in themes.THEMES.values():
            self.register_theme(known)
        self.theme = themes.THEMES[theme].name
        self.animation_level = "none"
        for action in actions:
            for key in action.keys:
                self.bind(key, f"act('{action.id}')", description=action.words, show=False)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the inks for the themes that come with Textual."""
        return dict(themes.DEFAULTS)

    def on_mount(self) -> None:
        """Begin to follow the daemon once there is a picture."""
        self.session.now = self._clock()
        self.set_interval(self._interval_s, self._tick)
        self.call_after_refresh(self.feed.start, self._deliver)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line passes through: with NO_COLOR no shade of grey is left either."""
        return [NoColor()] if self.no_color else super().get_line_filters()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """Yield the actions for the palette."""
        for action in self.actions:
            if action.id != "palette":
                yield SystemCommand(action.label, action.words, lambda id_=action.id: self.do(id_))

    def action_act(self, action: str) -> None:
        """Carry out the action of a key; ``p`` has two, of which one makes sense."""
        now = self.session.situation(self._page.page)
        if action == "pause" and table.refusal("resume", now) is None:
            action = "resume"
        self.do(action)

    def action_help_quit(self) -> None:
        """Leave at ctrl+c too, where Textual would explain another key."""
        self.do("quit")

    def do(self, action: str) -> None:
        """Carry out *action*, or say why that cannot be done now."""
        page = self._page
        why = table.refusal(action, self.session.situation(page.page))
        if why is not None:
            words = table.find(action, self.actions).label
            self.say(f"Not now: {words}; {why}.", "warn")
        elif action in self.page_keys:
            self.switch_mode(action)
        elif not page.do(action):
            self._carry_out(action)

    def say(self, text: str, ink: str = "good") -> None:
        """Show *text* for a while where the keys stand."""
        self.message = (text, ink)
        self._message_until = self._clock() + _MESSAGE_S
        self._page.repaint(())

    def _carry_out(self, action: str) -> None:
        """Carry out an action that is the same on every page."""
        wishes: dict[str, Callable[[], object]] = {
            "quit": self.exit,
            "help": lambda: self.push_screen(Help(self._help)),
            "palette": self.action_command_palette,
            "open": lambda: self.do("trial"),
            "back": lambda: self.do("dashboard"),
            "plot": self._toggle_plot,
            "freeze": self._toggle_freeze,
            "export": self._export,
            "copy": self._copy,
            "pause": lambda: self._ask("pause"),
            "resume": lambda: self._ask("resume"),
            "cancel": lambda: self._confirm(question.cancel(self.session)),
            "apply": self._confirm_apply,
            "restore": lambda: self._confirm(question.restore(self.session)),
            "diff": lambda: self.do("profiles"),
        }
        if action in wishes:
            wishes[action]()

    @property
    def _page(self) -> Page:
        """The page that is shown, below a dialogue too."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, Page):
                return screen
        raise AssertionError("every stack of screens has a page at its bottom")

    def _deliver(self, *news: News) -> None:
        """Take news from any thread."""
        self._news.extend(news)
        self.post_message(NewsCame())

    def on_news_came(self) -> None:
        """Take the news in, and paint what it changes when that is due."""
        for _ in range(min(_MOST_NEWS, len(self._news))):
            news = self._news.popleft()
            self._due.add(take(self.session, news))
            if isinstance(news, Answer):
                self.say(news.text, "good" if news.done else "over")
            elif isinstance(news, Recalled | Shown):
                self._painted_at = float("-inf")  # somebody waits for it
        if self._news:
            self.post_message(NewsCame())
        self.session.now = self._clock()
        self._paint_when_due()

    def _paint_when_due(self) -> None:
        """Paint now, or, when that was just done, after the interval."""
        wait_s = self._painted_at + self._interval_s - self._clock()
        if wait_s <= 0:
            self._paint()
        elif not self._waiting:
            self._waiting = True
            self.set_timer(wait_s, self._paint)

    def _paint(self) -> None:
        self._waiting = False
        self._painted_at = self._clock()
        due, self._due = self._due, set()
        if self.screen_stack:
            self._page.repaint(due)

    def _tick(self) -> None:
        """Let the clocks go on."""
        self.session.now = self._clock()
        if self.message is not None and self.session.now >= self._message_until:
            self.message = None
        self._due.add("clock")
        self._paint_when_due()

    def _help(self, width: int) -> list[Line]:
        situation = self.session.situation(self._page.page)
        return keys.keys_help(self.actions, situation, width, self.session.glyphs)

    def _toggle_plot(self) -> None:
        self.plot = not self.plot
        self._page.suit_terminal()

    def _toggle_freeze(self) -> None:
        self.session.frozen_at = None if self.session.frozen_at is not None else self._clock()
        self._page.repaint_all()

    def _ask(self, wish: str) -> None:
        assert self.session.job is not None
        self.feed.ask(wish, self.session.job.job)

    def _confirm_apply(self) -> None:
        name = self.session.profile_in_question(self._page.page)
        assert name is not None
        if not self.session.shown.get(name):
            self.feed.ask("show", name)
        self._confirm(question.apply(self.session, name))

    def _confirm(self, asked: Question) -> None:
        """Ask, and do it when the answer is yes."""

        def answered(agreed: bool | None) -> None:  # noqa: FBT001 - Textual's way
            if agreed:
                self.feed.ask(asked.wish, asked.subject)

        self.push_screen(Dialogue(asked.title, asked.text, asked.yes), answered)

    def _export(self) -> None:
        view = self.session.job
        if view is None:
            self.say("Not now: export; there is no job.", "warn")
            return
        try:
            into = export.folder(view.job, (Path.cwd(), Path.home()))
            self.save_screenshot("screen.svg", str(into))
        except OSError as error:
            self.say(f"Nothing was written: {error}.", "over")
        else:
            self.say(f"Writing to {into}")
            self.feed.ask("export", str(into))

    def _copy(self) -> None:
        clip = clipping.clipping(self.session, self._page.page)
        if clip is None:
            self.say("Not now: copy; there is nothing to copy.", "warn")
            return
        words, text = clip
        self.copy_to_clipboard(text)
        self.say(f"Copied {words}: {text}")
