"""The application as a whole, driven as a person does: by keys and by the mouse."""

import pytest
from conftest import MIDWAY, drive, make_app, stamped_lines
from driving import PAGES, click_on, press, text
from made_up_readings import telemetry

from tui.news import Lost, Readings, Standing
from tui.recorded import happened
from tui.screens.dialogue import Help
from tui.widgets.pane import Pane


@pytest.mark.parametrize(("key", "page"), PAGES.items())
def test_a_number_shows_its_page(key, page):
    """Every page has a number, and its tab is clicked with the same effect."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, "5" if key != "5" else "1")
        await press(pilot, key)
        assert app.screen.page == page
        await press(pilot, "5" if key != "5" else "1")
        await click_on(pilot, page, "banner")
        assert app.screen.page == page

    drive(app, scenario)


@pytest.mark.parametrize("key", ["question_mark", "f1"])
def test_help_has_every_action_and_its_reason(key):
    """The help is made of the table of actions; Esc closes it."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, key)
        assert isinstance(app.screen, Help)
        shown = text(app)
        for action in app.actions:
            assert action.words[:30] in shown
        assert "not now: there is no profile yet" in shown
        await press(pilot, "escape")
        assert app.screen.page == "dashboard"

    drive(app, scenario, size=(120, 60))


def test_the_palette_finds_actions_by_name():
    """ctrl+p opens the palette, and what is chosen there is done."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, "ctrl+p")
        await press(pilot, *"machine")
        await app.workers.wait_for_complete()
        await press(pilot, "enter")
        assert app.screen.page == "machine"

    drive(app, scenario)


def test_space_holds_the_picture():
    """While it is held nothing moves but the word that says so; Space lets it go on."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, "space")
        assert "held" in text(app)
        app._deliver(*(happened(line) for line in stamped_lines()[MIDWAY + 1 :]))
        await pilot.pause()
        assert "trial 13" not in text(app)
        await press(pilot, "space")
        assert "Proven" in text(app)

    drive(app, scenario)


def test_v_hides_the_plot():
    """The plot can be put away, and the trials take its room."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, "v")
        assert not app.screen.query_one("#scatter").display
        await press(pilot, "v")
        assert app.screen.query_one("#scatter").display

    drive(app, scenario)


def test_a_thin_line_gets_the_plot_when_it_asks():
    """With --lite the plot is away at first, and v fetches it."""
    app, _ = make_app(MIDWAY, plot=False)

    async def scenario(pilot):
        assert not app.screen.query_one("#scatter").display
        await press(pilot, "v")
        assert app.screen.query_one("#scatter").display

    drive(app, scenario)


def test_export_writes_trials_and_a_picture(tmp_path):
    """E writes CSV, JSON and a picture to a folder of the job and says where."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, "e")
        assert "Wrote" in text(app)

    drive(app, scenario)
    folder = tmp_path / f"autotune-{app.session.job.job}"
    assert {path.name for path in folder.iterdir()} == {"trials.csv", "trials.json", "screen.svg"}
    assert len((folder / "trials.csv").read_text().splitlines()) == 14


def test_y_copies_the_row():
    """Y hands the chosen trial to the terminal's clipboard."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, "j", "y")
        assert app.clipboard.startswith("batch 1, 3 workers")

    drive(app, scenario)


def test_long_texts_scroll_by_keys_and_by_the_wheel():
    """F and b turn the pages of a long text; the wheel moves what it is turned over."""
    app, _ = make_app()

    async def scenario(pilot):
        await press(pilot, "2")
        first = text(app)
        await press(pilot, "f")
        assert text(app) != first
        await press(pilot, "b")
        assert text(app) == first
        await press(pilot, "5", "k", "k")
        assert "Proven" not in text(app)
        await press(pilot, "G")
        assert "Proven" in text(app)

    drive(app, scenario)


def test_a_lost_daemon_is_shown_and_comes_back():
    """While the daemon is away the page says so, and again nothing when it is back."""
    app, _ = make_app(MIDWAY)

    async def scenario(pilot):
        app._deliver(Lost(t=app.session.now - 12.0))
        app._paint()
        await pilot.pause()
        app._paint()
        assert "no daemon" in text(app)
        app._deliver(Standing(status={}, jobs=[]))
        await pilot.pause()
        app._paint()
        await pilot.pause()
        assert "no daemon" not in text(app)

    drive(app, scenario)


def test_readings_that_do_not_come_are_marked_stale():
    """Old readings never look live."""
    last = telemetry()[-1]["t"]
    app, _ = make_app(MIDWAY, clock=lambda: last + 30.0)

    async def scenario(_pilot):
        assert "stale 0:30" in text(app)

    drive(app, scenario)


def test_events_of_a_newer_version_are_counted():
    """What cannot be read is said, and the rest is shown."""
    lines = stamped_lines()[: MIDWAY + 1]
    lines[3] = {**lines[3], "event": "trial_invented"}
    app, _ = make_app(news=[happened(line) for line in reversed(lines)])

    async def scenario(_pilot):
        assert "1 event is of a newer version" in text(app)
        assert "trial 11" in text(app)

    drive(app, scenario)


def test_without_a_daemon_there_is_a_page():
    """Before the first answer the pages say what they wait for."""
    app, _ = make_app(news=[])

    async def scenario(pilot):
        for key in PAGES:
            await press(pilot, key)
            assert "edge-01" in text(app)

    drive(app, scenario)


def test_nothing_is_drawn_when_nothing_changes():
    """A tick without news repaints no line of any pane."""
    app, _ = make_app()

    async def scenario(pilot):
        drawn = []
        for pane in app.screen.query(Pane):
            pane.refresh = lambda *regions, **_: drawn.append(regions)
        app._tick()
        app._deliver(Readings(message=telemetry()[-1]))
        await pilot.pause()
        assert not drawn

    drive(app, scenario)
