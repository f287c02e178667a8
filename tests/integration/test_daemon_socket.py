"""Whatever arrives on the socket: an answer, never a crash, and nobody else notices."""

from __future__ import annotations

import itertools
import json
import os
import pwd
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sandbox import PATIENCE_S

from autotuner import wire
from autotuner.client import Client
from autotuner.core.config import Config
from autotuner.core.errors import InputError
from autotuner.core.request import MeasureRequest

HERE = Path(__file__).parent
REQUEST = MeasureRequest(config=Config(batch_size=2))


class Daemon:
    """A daemon with fake jobs and its address."""

    def __init__(self, folder):
        self.path = folder / "socket"
        script = HERE.parent / "fake_daemon.py"
        self.process = subprocess.Popen([sys.executable, script, folder / "state", self.path])
        deadline = time.monotonic() + PATIENCE_S
        while not self.listens():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def listens(self):
        """Say whether it does; its file is there a moment before."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.path)) == 0

    def raw(self):
        """Return a connection without a client."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(PATIENCE_S)
        connection.connect(str(self.path))
        return connection

    def client(self):
        """Return a client."""
        return Client(self.raw())

    def memory_mib(self):
        """Return what the daemon holds in memory."""
        return psutil.Process(self.process.pid).memory_info().rss / 2**20


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    """Run a daemon for all tests here; it must be alive at the end and obey SIGTERM."""
    running = Daemon(tmp_path_factory.mktemp("d"))
    yield running
    assert running.process.poll() is None
    running.process.terminate()
    assert running.process.wait(timeout=PATIENCE_S) == 0


def answers(daemon, sent):
    """Send bytes, hang up sending, and return every answer until the daemon hangs up."""
    with daemon.raw() as connection:
        received = b""
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(1 << 16):
                received += chunk
        except ConnectionError:
            pass  # it hung up on what was longer than any message
    return [json.loads(line) for line in received.splitlines()]


def request(method, params=None, id_=1):
    """Return a request as a line."""
    return wire.call(method, params or {}, id_)


def code(answer):
    """Return the error's number."""
    return answer["error"]["code"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"nonsense\n", wire.PARSE_ERROR),
        (b"\xff\xfe\n", wire.PARSE_ERROR),
        (b"[]\n", wire.PARSE_ERROR),
        (request("fly"), wire.METHOD_NOT_FOUND),
        (request("__init__"), wire.METHOD_NOT_FOUND),
        (request("find", {"name": "x"}), wire.METHOD_NOT_FOUND),
        (request("status", {"x": 1}), wire.INVALID_PARAMS),
        (request("cancel"), wire.INVALID_PARAMS),
        (request("cancel", {"job": 7}), wire.INVALID_PARAMS),
        (request("cancel", {"job": "none"}), wire.INVALID_PARAMS),
        (request("subscribe", {"job": "none"}), wire.INVALID_PARAMS),
        (request("telemetry", {"interval_s": 0}), wire.INVALID_PARAMS),
        (request("submit", {"kind": "fly", "request": {}}), wire.INVALID_PARAMS),
        (request("submit", {"kind": "measure", "request": {"x": 1}}), wire.INVALID_PARAMS),
        (request("submit", {"kind": "measure", "request": {}, "priority": 1e3}), -32602),
        (request("hello", {"protocol": 99}), wire.REFUSED),
        (b"x" * (3 << 20) + b"\n", wire.PARSE_ERROR),
    ],
    ids=itertools.count(),  # a name of megabytes would not fit into the environment of a process
)
def test_what_does_not_fit_gets_an_error(daemon, sent, expected):
    """With its number and words, and the next message is answered."""
    answer = answers(daemon, sent)
    if len(sent) < wire.MAX_MESSAGE_BYTES:
        assert [code(a) for a in answer] == [expected]
        assert answer[0]["error"]["message"]
        assert len(answers(daemon, sent + request("status"))) == 2
    else:
        assert [code(a) for a in answer] in ([expected], [])  # it may hang up first


def test_a_half_sent_message_is_dropped(daemon):
    """It is no message; what came before it is answered."""
    sent = request("status") + request("models")[:-5]
    (answer, *rest) = answers(daemon, sent)
    assert answer["result"]["pid"] == daemon.process.pid
    assert [code(a) for a in rest] in ([], [wire.PARSE_ERROR])


def test_a_notification_is_not_answered(daemon):
    """As JSON-RPC 2.0 wants it."""
    assert answers(daemon, wire.call("status", {})) == []


def test_who_asks_is_known(daemon):
    """From the kernel."""
    with daemon.client() as client:
        status = client.status()
    assert status["user"] == pwd.getpwuid(os.getuid()).pw_name
    assert status["may"] == ["watch", "submit", "apply"]


def test_a_client_that_never_reads_holds_nobody_up(daemon):
    """Events wait for it; another client gets them all."""
    with daemon.client() as client, daemon.raw() as dead:
        job = client.submit(REQUEST)
        for id_ in range(8):
            dead.sendall(request("subscribe", {"job": job}, id_))
        dead.sendall(request("models", id_=99) * 200)
        heard = client.stamped_events(job)
        numbers = [told[0] for told in (next(heard) for _ in range(2000)) if told]
        assert numbers == sorted(set(numbers))
        assert numbers[0] == 0


def test_subscriptions_are_limited(daemon):
    """The ninth is refused."""
    with daemon.client() as client:
        job = client.submit(REQUEST)
    asked = b"".join(request("subscribe", {"job": job, "first": 10**6}, n) for n in range(9))
    refused = [a for a in answers(daemon, asked) if "error" in a]
    assert [(a["id"], code(a)) for a in refused] == [(8, wire.REFUSED)]


def test_a_flood_leaves_others_their_turn(daemon):
    """Ten thousand requests at once: somebody else is answered before they are all done."""
    with daemon.raw() as flood, daemon.client() as client:
        flood.sendall(request("status") * 2000)
        client.status()
        flood.settimeout(0.0)
        received = 0
        try:
            while chunk := flood.recv(1 << 20):
                received += chunk.count(b"\n")
        except BlockingIOError:
            pass
        assert received < 2000


def test_clients_are_limited(daemon):
    """One too many is told so; when others leave there is room again."""
    crowd = [daemon.raw() for _ in range(64)]
    deadline = time.monotonic() + PATIENCE_S
    try:
        while not (told := answers(daemon, b"")) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert "too many clients" in told[0]["error"]["message"]
    finally:
        for connection in crowd:
            connection.close()
    while answers(daemon, b"") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(answers(daemon, request("status"))) == 1


def test_a_client_may_ask_for_what_is_unknown(daemon):
    """It raises the daemon's words."""
    with daemon.client() as client, pytest.raises(InputError, match="no job 'x'"):
        client.pause("x")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
names = st.sampled_from(
    [
        "hello",
        "status",
        "models",
        "jobs",
        "cancel",
        "pause",
        "resume",
        "subscribe",
        "telemetry",
        "profiles",
        "show",
        "restore",
        "submit",
        "find",
        "call",
    ]
)
fields = st.sampled_from(["job", "first", "protocol", "name", "kind", "request", "interval_s"])
calls = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0") | plain, "method": names | plain},
    optional={"id": st.integers() | plain, "params": st.dictionaries(fields, plain) | plain},
).map(lambda message: json.dumps(message).encode())
lines = (
    calls
    | st.binary(max_size=60)
    | st.tuples(calls, st.integers(0, 80)).map(lambda cut: cut[0][: cut[1]])
)


def fuzz(daemon, examples, messages, repeats=1):
    """Send so many times so many messages; everything that comes back is an answer.

    Making a message takes longer than answering it, so each may be sent several times.
    """

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(lines, min_size=messages, max_size=messages))
    def send(batch):
        for answer in answers(daemon, b"\n".join(batch * repeats) + b"\n"):
            assert answer["jsonrpc"] == "2.0"
            assert {"result", "error", "method"} & set(answer)

    send()
    with daemon.client() as client:
        assert client.status()["pid"] == daemon.process.pid


def test_any_bytes_are_survived(daemon):
    """A thousand messages, right and wrong."""
    fuzz(daemon, examples=50, messages=20)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_messages_cost_no_memory(daemon):
    """Nor does anything of them stay."""
    fuzz(daemon, examples=40, messages=50, repeats=5)
    before = daemon.memory_mib()
    fuzz(daemon, examples=400, messages=50, repeats=5)
    assert daemon.memory_mib() - before < 5.0
