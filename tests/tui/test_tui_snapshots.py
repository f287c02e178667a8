"""Pictures of every page at three sizes; `pytest tests/tui --snapshot-update` takes them anew."""

import pytest
from conftest import MIDWAY, make_app
from made_up_profiles import two_profiles

SIZES = ((80, 24), (120, 40), (200, 60))
PAGES = ("dashboard", "trial", "profiles", "machine", "log", "help")


def _show(*actions):
    async def run_before(pilot):
        await pilot.pause()
        for action in actions:
            if action != "dashboard":
                pilot.app.do(action)
            await pilot.pause()

    return run_before


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("page", PAGES)
def test_every_page_looks_as_it_did(snap_compare, page, size):
    """A page is drawn the same from the same events, in the dark theme."""
    app, _ = make_app(MIDWAY)
    assert snap_compare(app, terminal_size=size, run_before=_show(page))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("page", PAGES)
def test_every_page_can_do_without_colour(snap_compare, monkeypatch, page, size):
    """With NO_COLOR nothing is lost: marks say what colours do."""
    monkeypatch.setenv("NO_COLOR", "1")
    app, _ = make_app(MIDWAY)
    assert snap_compare(app, terminal_size=size, run_before=_show(page))


@pytest.mark.parametrize("page", ["dashboard", "trial", "profiles"])
def test_a_small_terminal_looks_as_it_did(snap_compare, page):
    """Where there is hardly room the most telling lines are shown."""
    app, _ = make_app(MIDWAY)
    assert snap_compare(app, terminal_size=(42, 12), run_before=_show(page))


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_two_profiles_look_as_they_did(snap_compare, size):
    """What differs between a marked profile and the chosen one stands side by side."""
    app, _ = make_app(news=two_profiles())
    shown = _show("profiles", "diff", "down")
    assert snap_compare(app, terminal_size=size, run_before=shown)
