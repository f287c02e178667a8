"""The table of actions."""

import pytest

from autotuner.cli import options
from autotuner.core.actions import ACTIONS, Situation, find, refusal, with_keymap
from autotuner.core.errors import InputError

RUNNING = Situation(job="running", trials=3)


def test_ids_are_unique():
    """An id stands for one action."""
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_what_changes_something_is_a_verb_of_the_command_line_too():
    """Whatever a key does to a job or the machine, a command does as well, under the same id."""
    changing = {action.id for action in ACTIONS if action.level != "watch"}
    assert changing == {"pause", "resume", "cancel", "apply", "restore"}
    assert changing | {"export", "profiles"} <= set(options.VERBS)


def test_no_key_needs_alt_or_a_function_key():
    """A multiplexer may keep Alt and function keys for itself, so none is needed."""
    for action in ACTIONS:
        assert any(not key.startswith(("alt+", "f1", "f2")) for key in action.keys)


@pytest.mark.parametrize("action", [a.id for a in ACTIONS if a.level != "watch"])
def test_read_only_refuses_every_change(action):
    """Nothing can be changed from a view that only reads."""
    assert "--read-only" in refusal(action, Situation(read_only=True, job="running"))


def test_a_lost_daemon_refuses_changes_but_not_looking():
    """What is known can be looked at while the daemon is away."""
    away = Situation(connected=False, job="running", trials=3)
    assert "daemon" in refusal("cancel", away)
    assert refusal("sort", away) is None


def test_the_daemon_decides_who_may():
    """What the daemon would refuse is refused before it is asked."""
    watcher = Situation(job="running", may=frozenset({"watch"}))
    assert "submit" in refusal("cancel", watcher)


@pytest.mark.parametrize(
    ("action", "situation", "word"),
    [
        ("cancel", Situation(job="none"), "no job"),
        ("cancel", Situation(job="ended"), "ended"),
        ("pause", Situation(job="paused"), "paused already"),
        ("resume", Situation(job="running"), "not paused"),
        ("apply", RUNNING, "no profile yet"),
        ("restore", RUNNING, "no profile is applied"),
        ("sort", Situation(job="running"), "no trials"),
    ],
)
def test_a_refusal_says_why(action, situation, word):
    """An action that makes no sense now says in words why."""
    assert word in refusal(action, situation)


def test_what_makes_sense_is_not_refused():
    """A running job can be paused and ended."""
    assert [refusal(a, RUNNING) for a in ("pause", "cancel", "sort")] == [None] * 3


def test_a_keymap_gives_other_keys():
    """The user's keys take the place of the usual ones, by id."""
    changed = with_keymap({"cancel": "X, delete"})
    assert find("cancel", changed).keys == ("X", "delete")
    assert find("quit", changed).keys == find("quit").keys


@pytest.mark.parametrize("keymap", [{"cancle": "x"}, {"cancel": "q"}])
def test_a_wrong_keymap_is_named(keymap):
    """An unknown id, or one key for two actions, is an error in the settings."""
    with pytest.raises(InputError, match=next(iter(keymap))):
        with_keymap(keymap)
