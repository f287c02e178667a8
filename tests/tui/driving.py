"""Hands and eyes: what a person does with the application, and what the screen shows then."""

from conftest import screen_text

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
