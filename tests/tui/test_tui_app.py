"""The application, driven as a person does: by keys and by the mouse."""

import pytest
from conftest import MIDWAY, drive, make_app, recorded_news, screen_text, stamped_lines
from made_up_readings import telemetry
from textual.events import Resize
from textual.geometry import Size

from autotuner.core.actions import with_keymap
from tui.glyphs import ASCII
from tui.news import Answer, Happened, Lost, Profiles, Readings, Standing
from tui.recorded import happened
from tui.screens.dialogue import Dialogue, Help
from tui.widgets.pane import Pane

PAGES = {"1": "dashboard", "2": "trial", "3": "profiles", "4": "machine", "5": "log"}


def text(app):
    """Return the screen as one text."""
    return "\n".join(screen_text(app))


async def press(pilot, *keys):
    """Press *keys* and wait until the screen shows what comes of it."""
    await pilot.press(*keys)
    await pilot.pause()


async def click_on(pilot, words, pane):
    """Click on *words* in the pane of this id."""
    widget = pilot.app.screen.query_one(f"#{pane}", Pane)
    region = widget.content_region
    for y, line in enumerate(screen_text(pilot.app)):
        x = line.find(words, region.x, region.right)
        if region.y <= y < region.bottom and x >= 0:
            await pilot.click(offset=(x + len(words) // 2, y))
            await pilot.pause()
            return
    raise AssertionError(f"{words!r} is not in {pane}: {text(pilot.app)}")


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


@pytest.mark.parametrize("by", ["key", "click"])
@pytest.mark.parametrize(
    ("key", "label", "wish", "asks"),
    [("p", "pause", "pause", False), ("x", "cancel", "cancel", True)],
)
def test_a_job_is_paused_and_ended(by, key, label, wish, asks):
    """P pauses at once; x asks first, and does nothing when the answer is no."""
    app, feed = make_app(MIDWAY)

    async def begin(pilot):
        await (press(pilot, key) if by == "key" else click_on(pilot, label, "keys"))

    async def scenario(pilot):
        await begin(pilot)
        if asks:
            assert isinstance(app.screen, Dialogue)
            await press(pilot, "n")
            assert not [w for w, _ in feed.asked if w == wish]
            await begin(pilot)
            await (press(pilot, "y") if by == "key" else click_on(pilot, "end the job", "question"))
        assert (wish, app.session.job.job) in feed.asked

    drive(app, scenario)


def test_p_lets_a_paused_job_go_on():
    """The key that pauses also resumes."""
    paused = {"job": "20261121-074359-126586", "state": "paused", "model": "squeezenet"}
    news = [*recorded_news(MIDWAY), Standing(status={}, jobs=[paused])]
    app, feed = make_app(news=news)

    async def scenario(pilot):
        assert "paused" in text(app)
        await press(pilot, "p")
        assert feed.asked == [("resume", paused["job"])]

    drive(app, scenario)


def test_a_profile_is_applied_after_before_and_after_were_shown():
    """A shows what is and what would be; y applies it, and the answer is told."""
    app, feed = make_app()

    async def scenario(pilot):
        await press(pilot, "3", "a")
        shown = text(app)
        assert "before" in shown
        assert "after" in shown
        assert "power mode present" in shown
        await press(pilot, "y")
        assert ("apply", app.session.profiles[0]["name"]) in feed.asked
        app._deliver(Answer(text="Applied it.", done=True))
        await pilot.pause()
        assert "Applied it." in text(app)

    drive(app, scenario)


def test_a_simulated_profile_is_not_applied():
    """What was found on a device that is not here says so and cannot be set here."""
    news = recorded_news()
    listed = next(n for n in news if isinstance(n, Profiles))
    simulated = [{**listed.profiles[0], "simulated": "jetson-tx2"}]
    app, feed = make_app(news=[*news, Profiles(profiles=simulated)])

    async def scenario(pilot):
        await press(pilot, "3", "a")
        assert "simulated device, jetson-tx2" in text(app)
        assert not [wish for wish, _ in feed.asked if wish == "apply"]

    drive(app, scenario)


def test_an_applied_profile_is_restored():
    """R puts back what was before, after it was confirmed."""
    news = recorded_news()
    name = "squeezenet_throughput_ips_p99_ms-50_724b5fb636b5"
    applied = {"profile": name, "power_mode": "present", "verified": True, "differences": []}
    news.append(Standing(status={"applied": applied}, jobs=[]))
    app, feed = make_app(news=news)

    async def scenario(pilot):
        await press(pilot, "3")
        assert "this one, verified just now" in text(app)
        await press(pilot, "r", "y")
        assert ("restore", "") in feed.asked

    drive(app, scenario, size=(120, 40))


def test_what_cannot_be_done_says_why():
    """A key that makes no sense now is answered with the reason."""
    app, feed = make_app(MIDWAY, read_only=True)

    async def scenario(pilot):
        await press(pilot, "x")
        assert "--read-only" in text(app)
        assert not feed.asked

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


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_leaving_touches_nothing(key):
    """Q leaves, and nothing is asked of the daemon."""
    app, feed = make_app(MIDWAY)

    async def scenario(pilot):
        await press(pilot, key)

    drive(app, scenario)
    assert app._exit
    assert not [wish for wish, _ in feed.asked if wish in {"cancel", "pause"}]


def test_other_keys_can_be_chosen():
    """The user's keymap counts, and the row of keys shows it."""
    app, feed = make_app(MIDWAY, actions=with_keymap({"pause": "z", "resume": "z"}))

    async def scenario(pilot):
        assert " z pause" in text(app)
        await press(pilot, "z")
        assert feed.asked[-1][0] == "pause"

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
        assert "search" in text(app)

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
