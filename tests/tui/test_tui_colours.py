"""The bytes that a terminal gets: how many colours are asked of it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

_PATIENCE_S = 30.0
_HERE = Path(__file__).parent
_PROGRAM = """
import sys
from conftest import MIDWAY, make_app
make_app(MIDWAY, theme=sys.argv[1])[0].run()
"""
_WALK = (
    (b"2", b"provider"),
    (b"3", b"evidence"),
    (b"4", b"memory.used_mib"),
    (b"?", b"help: Esc"),
    (b"\x1b", b"memory.used_mib"),
    (b"x", b"leave it"),
)
"""Keys, and words that the picture after each has."""

_RENDITION = re.compile(rb"\x1b\[([0-9;:]*)m")
_SIXTEEN = {*range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108)}


@contextmanager
def terminal(theme, **environment):
    """Run the interface in a pseudo terminal of 100x30; yield its file descriptor."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    colours = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    path = os.pathsep.join([str(_HERE), str(_HERE.parents[1])])
    # Nothing else of ours: LINES and COLUMNS, say, would be taken for the size.
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, **colours, **environment}
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, theme],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(terminal, words):
    """Return what comes from *terminal* until *words* have come."""
    deadline, seen = time.monotonic() + _PATIENCE_S, b""
    while words not in seen:
        readable, _, _ = select.select([terminal], [], [], deadline - time.monotonic())
        assert readable, f"{words} did not come in {seen[-2000:]}"
        seen += os.read(terminal, 1 << 16)
    return seen


def sent(theme, **environment):
    """Return the bytes of a walk through pages and help, and of a question."""
    with terminal(theme, **environment) as place:
        seen = read_until(place, b"212.5/s")
        for key, words in _WALK:
            os.write(place, key)
            seen += read_until(place, words)
        return seen


def renditions(data):
    """Return the numbers of every change of colour or style in *data*, each as a list."""
    return [[int(n or 0) for n in re.split(b"[;:]", found)] for found in _RENDITION.findall(data)]


@pytest.mark.parametrize("environment", [{}, {"COLORTERM": ""}], ids=["truecolor", "256"])
def test_the_ansi_theme_has_sixteen_colours(environment):
    """Whatever the terminal could show, it gets its own colours and no other."""
    seen = renditions(sent("ansi", **environment))
    assert not [numbers for numbers in seen if {38, 48, 58} & set(numbers)]
    assert any(_SIXTEEN & set(numbers) for numbers in seen)


@pytest.mark.parametrize("theme", ["dark", "ansi"])
def test_no_color_sends_no_colour(theme):
    """With NO_COLOR there is bold and reverse text, and not one shade, grey included."""
    seen = renditions(sent(theme, NO_COLOR="1"))
    assert not [numbers for numbers in seen if ({38, 48, 58} | _SIXTEEN) & set(numbers)]
    assert {1, 7} <= {number for numbers in seen for number in numbers}


def test_the_dark_theme_is_in_true_colour():
    """The other tests look at what would be there otherwise."""
    assert [numbers for numbers in renditions(sent("dark")) if 38 in numbers]
