"""Pictures of every page at three sizes; `pytest tests/tui --snapshot-update` takes them anew."""

import pytest
from conftest import MIDWAY, make_app

SIZES = ((80, 24), (120, 40), (200, 60))
PAGES = ("dashboard", "trial", "profiles", "machine", "log", "help")


def _show(page):
    async def run_before(pilot):
        await pilot.pause()
        if page != "dashboard":
            pilot.app.do(page)
        await pilot.pause()

    return run_before


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("page", PAGES)
def test_every_page_looks_as_it_did(snap_compare, page, size):
    """A page is drawn the same from the same events, in the dark theme."""
    app, _ = make_app(MIDWAY)
    assert snap_compare(app, terminal_size=size, run_before=_show(page))


@pytest.mark.parametrize(
    ("page", "size"), [("dashboard", size) for size in SIZES] + [(p, SIZES[0]) for p in PAGES[1:]]
)
def test_every_page_can_do_without_colour(snap_compare, monkeypatch, page, size):
    """With NO_COLOR nothing is lost: marks say what colours do."""
    monkeypatch.setenv("NO_COLOR", "1")
    app, _ = make_app(MIDWAY)
    assert snap_compare(app, terminal_size=size, run_before=_show(page))
