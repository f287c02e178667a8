"""The pages in terminals of every size and kind."""

import pytest
from conftest import MIDWAY, drive, make_app, screen_text
from driving import PAGES, press, text
from textual.events import Resize
from textual.geometry import Size

from tui.glyphs import ASCII


@pytest.mark.parametrize("theme", ["dark", "light", "ansi"])
def test_every_theme_draws_every_page(theme):
    """All inks exist in all themes."""
    app, _ = make_app(theme=theme)

    async def scenario(pilot):
        for key in PAGES:
            await press(pilot, key)
            assert text(app).strip()

    drive(app, scenario)


def test_ascii_reaches_the_screen():
    """With ASCII glyphs the whole dashboard is ASCII, borders included."""
    app, _ = make_app(MIDWAY, glyphs=ASCII)

    async def scenario(_pilot):
        text(app).encode("ascii")

    drive(app, scenario)


@pytest.mark.parametrize("size", [(60, 24), (40, 12), (79, 15), (20, 6), (300, 80)])
def test_any_size_shows_the_search(size):
    """Smaller terminals lose panes, never the state of the job; larger ones use the room."""
    app, _ = make_app(MIDWAY)

    async def scenario(_pilot):
        assert f"{app.session.glyphs.on} sear" in text(app)

    drive(app, scenario, size=size)


def test_a_storm_of_resizes_changes_nothing():
    """After 200 sizes the page looks as it did."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        before = text(app)
        for turn in range(200):
            size = Size(40 + turn % 80, 10 + turn % 30)
            app.post_message(Resize(size, size))
            if turn % 10 == 0:
                await pilot.pause()
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert text(app) == before

    drive(app, scenario)


@pytest.mark.parametrize("size", [(42, 12), (40, 10), (79, 15), (120, 12)])
def test_a_low_terminal_shows_best_present_and_newest_trials(size):
    """One column is left: how the search stands, what runs, and rows of the table."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        shown = text(app)
        for words in ("288.6/s", "212.5/s", "1.36x"):
            assert words in shown
        lines = screen_text(app)
        heading = next(y for y, line in enumerate(lines) if "thrput/s" in line)
        assert lines[heading + 1].lstrip().startswith(f"{app.session.glyphs.now}     12")
        await press(pilot, "2")
        assert "best so far" in text(app)
        await press(pilot, "3")
        assert "proven" in text(app)
        await press(pilot, "x")
        assert "leave it" in text(app)

    drive(app, scenario, size=size)
