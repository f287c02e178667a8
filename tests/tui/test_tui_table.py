"""The table of trials, driven by keys and by the mouse."""

from conftest import MIDWAY, drive, make_app, stamped_lines
from driving import click_on, press, text

import tui.trials
from tui.news import Happened
from tui.recorded import happened


def test_the_cursor_moves_by_keys():
    """J and k go down and up, g and G to the ends; the arrows do the same."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        rows = [trial.key for trial in app.session.rows()]
        for keys, place in (("j", 0), ("j", 1), ("down", 2), ("up", 1), ("k", 0), ("G", -1)):
            await press(pilot, keys)
            assert app.session.trial == rows[place]
        await press(pilot, "g")
        assert app.session.trial == rows[0]

    drive(app, scenario)


def test_the_cursor_keeps_its_row():
    """New trials and another order move the row, and the cursor goes with it."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, "j", "j", "j")
        chosen = app.session.trial
        app._deliver(*(happened(line) for line in stamped_lines()[MIDWAY + 1 :]))
        await press(pilot, "s", "S")
        assert app.session.trial == chosen

    drive(app, scenario)


def test_columns_sort_by_key_and_by_click():
    """S sorts by the next column, S turns round; a click on a title does both."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, "s")
        assert app.session.sort == "throughput"
        await press(pilot, "S")
        assert app.session.reverse
        await click_on(pilot, "p99 ms", "trials")
        assert (app.session.sort, app.session.reverse) == ("latency", False)
        await click_on(pilot, "p99 ms", "trials")
        assert app.session.reverse

    drive(app, scenario)


def test_the_filter_keeps_rows_with_its_words():
    """/ opens the field, letters are text there, Enter leaves it, Esc shows all rows again."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, "slash", *"compact")
        assert app.session.words == "compact"
        assert all(trial.config.affinity == "compact" for trial in app.session.rows())
        await press(pilot, "enter", "j")
        assert app.session.words == "compact"
        await press(pilot, "escape")
        assert app.session.words == ""

    drive(app, scenario)


def test_a_trial_opens_by_enter_and_by_a_second_click():
    """Enter shows the chosen trial, Esc goes back; two clicks on a row do as well."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, "j", "j", "enter")
        assert app.screen.page == "trial"
        assert "breaks a constraint" in text(app)
        await press(pilot, "escape")
        assert app.screen.page == "dashboard"
        await click_on(pilot, "148.4", "trials")
        assert app.screen.page == "dashboard"
        await click_on(pilot, "148.4", "trials")
        assert app.screen.page == "trial"

    drive(app, scenario)


def test_a_point_of_the_plot_is_its_trial():
    """A click on a mark in the plot chooses that trial in the table."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        await click_on(pilot, app.session.glyphs.best, "scatter")
        assert app.session.job.standing(app.session.chosen_trial()) == "best"
        assert app.session.trial is not None

    drive(app, scenario)


def test_a_long_job_stays_quick_to_show():
    """Thousands of trials are taken in and the page still answers a key."""
    lines = stamped_lines()
    done = [line for line in lines if line["event"] == "trial_done"]
    news = [
        Happened(job="j", n=n, t=1e9 + n, event=happened(done[1 + n % 12]).event)
        for n in range(3_000)
    ]
    app, _ = make_app(news=news)

    async def scenario(pilot):
        while len(app.session.job.trials) < len(news):
            await pilot.pause()
        await press(pilot, "G", "k")
        assert app.session.trial is not None

    drive(app, scenario)


def test_what_came_of_an_old_trial_is_fetched_when_it_is_opened(monkeypatch):
    """Few outcomes are kept whole; another one is asked for once and shown as it comes."""
    monkeypatch.setattr(tui.trials, "WHOLE", 3)
    app, feed = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, "G", "enter")
        key = app.session.trial
        assert "329 batches" in text(app)
        await press(pilot, "f", "b")
        assert feed.asked == [("outcome", str(key))]

    drive(app, scenario)
