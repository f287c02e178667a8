"""When a search is shown in the terminal interface."""

import os

import pytest

from autotuner.cli import options, terminal
from autotuner.core.errors import InputError

SEARCH = ("model.onnx", "--max-latency", "50ms")


@pytest.fixture
def on_terminal(monkeypatch):
    """Let standard input and output be a terminal."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(os, "isatty", lambda _descriptor: True)


@pytest.mark.usefixtures("on_terminal")
def test_a_search_on_a_terminal_opens_the_interface():
    """The main job shows itself live."""
    assert terminal.opens(options.parse(SEARCH))


@pytest.mark.usefixtures("on_terminal")
@pytest.mark.parametrize("option", ["--plain", "--json", "--dry-run", "--debug"])
def test_some_options_ask_for_lines(option):
    """Whoever wants lines, JSON or a plan gets these."""
    assert not terminal.opens(options.parse([*SEARCH, option]))


@pytest.mark.usefixtures("on_terminal")
def test_a_dumb_terminal_gets_lines(monkeypatch):
    """A terminal that can place no cursor is written to in lines."""
    monkeypatch.setenv("TERM", "dumb")
    assert not terminal.opens(options.parse(SEARCH))


def test_a_pipe_gets_lines(monkeypatch):
    """Without a terminal nothing is opened, and the verb says what there is instead."""
    monkeypatch.setattr(os, "isatty", lambda _descriptor: False)
    assert not terminal.opens(options.parse(SEARCH))
    with pytest.raises(InputError, match="autotune watch"):
        terminal.run(options.parse(["tui"]))


@pytest.mark.usefixtures("on_terminal")
def test_the_verb_becomes_the_interface(monkeypatch):
    """What was typed goes on to the interface, which is a program of its own."""
    became = []

    def execv(_program, arguments):
        became.extend(arguments)
        raise SystemExit

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setenv("AUTOTUNE_STATE_DIR", "/state")
    with pytest.raises(SystemExit):
        terminal.run(options.parse(["tui", "--lite", "--theme", "light", "--host", "me@box", "7"]))
    assert became[1:4] == ["-m", "tui", "--state=/state"]
    assert became[4:] == ["--job=7", "--host=me@box", "--theme=light", "--lite"]
