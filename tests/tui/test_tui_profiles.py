"""The page of profiles: one beside another."""

import pytest
from conftest import drive, make_app
from driving import click_on, press, text
from made_up_profiles import two_profiles

from tui.news import Profiles


def two_columns(app):
    """Say whether two profiles stand beside each other."""
    shown = text(app)
    return "2026-11-21 07:44" in shown and "2026-11-20 10:11" in shown


@pytest.mark.parametrize("by", ["key", "row", "click"])
def test_a_marked_profile_is_seen_beside_another(by):
    """What is marked stays, and what is chosen then stands beside it; Esc ends it."""
    app, feed = make_app(news=two_profiles())

    async def scenario(pilot):
        await press(pilot, "3")
        if by == "key":
            await press(pilot, "d")
        else:
            words, pane = ("290.6", "list") if by == "row" else ("d diff", "keys")
            await click_on(pilot, words, pane)
        assert "set beside" in text(app)
        await press(pilot, "j")
        assert two_columns(app)
        for words in ("0.50x", "4", "proven → interrupted", "2 → 4"):
            assert words in text(app)
        await press(pilot, "escape")
        assert app.screen.page == "profiles"
        assert not two_columns(app)
        await press(pilot, "escape")
        assert app.screen.page == "dashboard"
        assert not [wish for wish, _ in feed.asked if wish == "apply"]

    drive(app, scenario)


def test_a_mark_is_taken_away_where_it_was_set():
    """The same key on the marked profile ends the comparison."""
    app, _ = make_app(news=two_profiles())

    async def scenario(pilot):
        await press(pilot, "3", "d")
        assert app.session.glyphs.marked in text(app)
        await press(pilot, "d")
        assert app.session.marked is None
        assert app.session.glyphs.marked not in text(app)

    drive(app, scenario)


def test_one_profile_cannot_be_compared():
    """With fewer than two the key says why not."""
    app, _ = make_app()

    async def scenario(pilot):
        await press(pilot, "3", "d")
        assert "it takes two profiles" in text(app)
        assert app.session.marked is None

    drive(app, scenario)


def test_a_damaged_profile_cannot_be_marked():
    """What cannot be read has nothing to compare, and that is said."""
    news = two_profiles()
    listed = news[-2].profiles
    damaged = {"name": "third", "damaged": "it is no YAML"}
    app, _ = make_app(news=[*news, Profiles(profiles=[*listed, damaged])])

    async def scenario(pilot):
        await press(pilot, "3", "G", "d")
        assert "this profile is damaged" in text(app)
        assert app.session.marked is None

    drive(app, scenario)


def test_the_evidence_gets_the_room_that_few_profiles_leave():
    """A short list is as high as it is long, and grows with the profiles up to a third."""
    app, _ = make_app(news=two_profiles())

    async def scenario(pilot):
        await press(pilot, "3")
        heights = [app.screen.query_one("#list").outer_size.height]
        listed = app.session.profiles
        app._deliver(Profiles(profiles=[{**listed[0], "name": str(n)} for n in range(30)]))
        await pilot.pause()
        app._paint()
        await pilot.pause()
        heights.append(app.screen.query_one("#list").outer_size.height)
        assert heights == [5, 8]

    drive(app, scenario)
