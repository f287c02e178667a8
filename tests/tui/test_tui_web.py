"""The terminal interface in a browser."""

import sys

import pytest
from textual_serve.server import Server

from tui import web


@pytest.fixture
def served(monkeypatch):
    """Return the servers that would have been started."""
    servers = []

    def serve(server):
        servers.append(server)

    monkeypatch.setattr(Server, "serve", serve)
    return servers


def test_it_is_served_to_this_box_alone(served):
    """Unless another address is asked for, only the loopback can reach it."""
    assert web.main(["--state=/s"]) == 0
    assert web.main(["--state=/s", "--address=0.0.0.0", "--port=9000"]) == 0
    assert [(s.host, s.port) for s in served] == [("localhost", 8000), ("0.0.0.0", 9000)]


def test_every_browser_gets_an_interface_of_its_own(served):
    """What was asked of the interface is handed on to each."""
    web.main(["--state=/s p", "--read-only", "--job=7"])
    assert served[0].command == f"{sys.executable} -m tui '--state=/s p' --read-only --job=7"


def test_without_the_server_the_user_learns_how_to_get_it(monkeypatch, capsys):
    """One sentence with the command, no traceback."""
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    assert web.main(["--state=/s"]) == 2
    assert "pip install 'edge-autotune[web]'" in capsys.readouterr().err
