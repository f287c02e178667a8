from __future__ import annotations

import pytest
from fake_jobs import FakeLauncher

from autotuner.active import ActiveProfile, Sites
from autotuner.daemon.access import LEVELS
from autotuner.daemon.methods import Caller, Daemon, ForbiddenError, Methods
from autotuner.daemon.queue import JobQueue
from autotuner.daemon.shelf import Shelf

OF_LEVEL = {
    "watch": ("hello", "status", "models", "doctor", "jobs", "profiles", "show"),
    "submit": ("submit", "cancel", "pause", "resume"),
    "apply": ("apply", "restore"),
}


@pytest.fixture
def methods(tmp_path):
    """Return the methods of a daemon for a caller who may do this."""
    daemon = Daemon(
        queue=JobQueue(tmp_path / "jobs", FakeLauncher(), hold=True),
        shelf=Shelf(tmp_path / "profiles"),
        active=ActiveProfile(Sites(state=tmp_path, published=tmp_path, lock=tmp_path / "lock")),
        state=tmp_path,
        system=True,
    )
    return lambda *may: Methods(daemon, Caller(name="somebody", may=frozenset(may)))


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_allows_its_own_methods_and_no_other(methods, level):
    """Who may apply may not therefore submit, and the refusal says what to ask for."""
    allowed = methods(level)
    for name in OF_LEVEL[level]:
        assert callable(allowed.find(name))
    for other in set(LEVELS) - {level}:
        for name in OF_LEVEL[other]:
            with pytest.raises(ForbiddenError, match=r"user somebody may not .* group autotuner"):
                allowed.find(name)


def test_a_stranger_may_not_even_listen(methods):
    """Subscriptions take the level that watching takes."""
    with pytest.raises(ForbiddenError, match="may not watch"):
        methods().require("watch")


def test_what_is_no_method_is_none(methods):
    """Whatever the class has besides."""
    for name in ("fly", "find", "require", "__init__", "_queue"):
        assert methods(*LEVELS).find(name) is None
