"""What changes a job or the machine: by key and by mouse, asked first where it matters."""

import pytest
from conftest import MIDWAY, drive, make_app, recorded_news
from driving import click_on, press, text

from autotuner.core.actions import with_keymap
from tui.news import Answer, Profiles, Standing
from tui.screens.dialogue import Dialogue


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
