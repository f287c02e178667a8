"""A second profile beside the recorded one."""

import copy

from conftest import recorded_news

from tui.news import Profiles, Shown


def two_profiles():
    """Return the recorded news with a second profile, of one worker on a box with more CPUs."""
    news = recorded_news()
    listed = next(n for n in news if isinstance(n, Profiles)).profiles[0]
    shown = next(n for n in news if isinstance(n, Shown)).document
    other = copy.deepcopy(dict(shown))
    profile = other["profile"]
    profile["created"] = "2026-11-20T10:11:12+00:00"
    profile["status"] = "interrupted"
    profile["winner"]["config"]["workers"] = 1
    profile["winner"]["measurement"]["throughput_ips"] = 145.2835
    profile["fingerprint"]["cpus"] = 4
    summary = {**listed, "name": "second", "status": "interrupted", "throughput_ips": 145.3}
    return [*news, Profiles(profiles=[listed, summary]), Shown(name="second", document=other)]
