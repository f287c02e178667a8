"""Everything a person can do, once: command line, keys, palette and help all read this table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from autotuner.core.errors import InputError

Level = Literal["watch", "submit", "apply"]
"""What the daemon must allow for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing a person can do.

    *id* is the verb of the command line and the method of the protocol too, where there is one.
    *keys* are in Textual's names, *label* is for a row of keys, *words* is one phrase for the help.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    words: str
    level: Level = "watch"
    group: str = "move"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What decides whether an action makes sense now.

    *job* is the state of the job that is watched, *profile* the name of the one in question and
    *simulated* the device that it is for when that is not there; *profiles* is how many there are.
    """

    read_only: bool = False
    connected: bool = True
    job: Literal["none", "queued", "running", "paused", "ended"] = "none"
    trials: int = 0
    profile: str | None = None
    profiles: int = 0
    simulated: str | None = None
    applied: str | None = None
    may: frozenset[str] = field(default_factory=lambda: frozenset({"watch", "submit", "apply"}))


ACTIONS: tuple[Action, ...] = (
    Action(
        id="quit",
        keys=("q",),
        label="quit",
        words="leave; the job goes on without you",
        group="general",
    ),
    Action(
        id="help",
        keys=("question_mark", "f1"),
        label="help",
        words="show every key and what it does",
        group="general",
    ),
    Action(
        id="palette",
        keys=("ctrl+p", "colon"),
        label="palette",
        words="find an action by its name",
        group="general",
    ),
    Action(
        id="dashboard",
        keys=("1",),
        label="dashboard",
        words="machine, search and trials at a glance",
        group="pages",
    ),
    Action(id="trial", keys=("2",), label="trial", words="one trial in full", group="pages"),
    Action(
        id="profiles",
        keys=("3",),
        label="profiles",
        words="the profiles kept on this box",
        group="pages",
    ),
    Action(
        id="machine",
        keys=("4",),
        label="machine",
        words="sensors, daemon and what is applied",
        group="pages",
    ),
    Action(id="log", keys=("5",), label="log", words="what happened, in words", group="pages"),
    Action(id="down", keys=("j", "down"), label="down", words="the next row"),
    Action(id="up", keys=("k", "up"), label="up", words="the row before"),
    Action(id="top", keys=("g", "home"), label="top", words="the first row"),
    Action(id="bottom", keys=("G", "end"), label="bottom", words="the last row"),
    Action(
        id="forward", keys=("f", "pagedown"), label="forward", words="the next page of a long text"
    ),
    Action(id="backward", keys=("b", "pageup"), label="backward", words="the page before"),
    Action(id="open", keys=("enter",), label="open", words="show the row in full"),
    Action(id="back", keys=("escape",), label="back", words="leave the filter, then the page"),
    Action(id="filter", keys=("slash",), label="filter", words="show the rows with these words"),
    Action(id="sort", keys=("s",), label="sort", words="sort by the next column"),
    Action(id="reverse", keys=("S",), label="reverse", words="turn the order round"),
    Action(id="plot", keys=("v",), label="plot", words="show or hide the plot", group="general"),
    Action(
        id="freeze",
        keys=("space",),
        label="hold",
        words="hold the picture still; the job goes on",
        group="general",
    ),
    Action(
        id="pause",
        keys=("p",),
        label="pause",
        words="pause the job after the trial in hand",
        level="submit",
        group="job",
    ),
    Action(
        id="resume",
        keys=("p",),
        label="resume",
        words="let the paused job go on",
        level="submit",
        group="job",
    ),
    Action(
        id="cancel",
        keys=("x",),
        label="cancel",
        words="end the job with what it has",
        level="submit",
        group="job",
    ),
    Action(
        id="apply",
        keys=("a",),
        label="apply",
        words="set this machine as the profile says",
        level="apply",
        group="profile",
    ),
    Action(
        id="restore",
        keys=("r",),
        label="restore",
        words="put back what was there before a profile was applied",
        level="apply",
        group="profile",
    ),
    Action(
        id="diff",
        keys=("d",),
        label="diff",
        words="mark this profile, to see others beside it; again: no more",
        group="profile",
    ),
    Action(
        id="export",
        keys=("e",),
        label="export",
        words="write trials and a picture of the screen to files",
        group="general",
    ),
    Action(
        id="copy",
        keys=("y",),
        label="copy",
        words="copy the row to the clipboard",
        group="general",
    ),
)


def refusal(action: str, now: Situation) -> str | None:
    """Return why *action* cannot be done in the situation *now*, None when it can."""
    found = find(action)
    if found.level != "watch":
        if now.read_only:
            return "this view was opened with --read-only"
        if not now.connected:
            return "the daemon does not answer at the moment"
        if found.level not in now.may:
            return f"the daemon does not let you {found.level}; its configuration says who may"
    return _refusal_of(action, now)


def _refusal_of(action: str, now: Situation) -> str | None:
    if action in {"pause", "resume", "cancel"}:
        if now.job == "none":
            return "there is no job"
        if now.job == "ended":
            return "the job has ended"
        if action == "pause" and now.job == "paused":
            return "the job is paused already"
        if action == "resume" and now.job != "paused":
            return "the job is not paused"
    if action == "apply" and now.profile is None:
        return "there is no profile yet; a search that ends with a result makes one"
    if action == "apply" and now.simulated is not None:
        return f"the profile is for a simulated device, {now.simulated}"
    if action == "diff" and now.profiles < 2:
        return "it takes two profiles to compare"
    if action == "restore" and now.applied is None:
        return "no profile is applied"
    if action in {"sort", "reverse", "filter", "trial"} and now.trials == 0:
        return "there are no trials yet"
    return None


def find(action: str, actions: Iterable[Action] = ACTIONS) -> Action:
    """Return the action with this id; raises KeyError when there is none."""
    for candidate in actions:
        if candidate.id == action:
            return candidate
    raise KeyError(action)


def with_keymap(keymap: Mapping[str, str], actions: Sequence[Action] = ACTIONS) -> list[Action]:
    """Return the actions with the user's keys, which *keymap* gives by id: ``x`` or ``x,delete``.

    Raises InputError for an unknown id and for a key that two actions would share.
    """
    unknown = sorted(set(keymap) - {action.id for action in actions})
    if unknown:
        raise InputError(f"The keymap names {unknown[0]!r}, which is no action; `?` lists them.")
    changed = [
        replace(action, keys=tuple(key.strip() for key in keymap[action.id].split(",")))
        if action.id in keymap
        else action
        for action in actions
    ]
    owner: dict[str, str] = {}
    for action in changed:
        for key in action.keys:
            other = owner.setdefault(key, action.id)
            if other != action.id and {other, action.id} != {"pause", "resume"}:
                raise InputError(
                    f"The keymap gives the key {key!r} to {other!r} and {action.id!r}; choose "
                    "another for one of them."
                )
    return changed
