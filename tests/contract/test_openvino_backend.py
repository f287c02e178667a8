"""What OpenVINO does differently from other runtimes, and must not do to a measurement."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from autotuner import backends
from autotuner.backends import BackendFailure, openvino, openvino_core
from autotuner.core.config import Config

USED_IN_TURN = """
import json, os, pathlib, sys
import numpy as np
from autotuner import backends
from autotuner.core.config import Config

backend = backends.load(backends.locate("openvino-cpu"))
backend.start()
batch = {"x": np.ones((2, 3, 96, 96), np.float32)}
kept, seen = [], []
usable = sorted(os.sched_getaffinity(0))
for cpus in ([usable[0]], [usable[-1]], usable, [usable[0]]):
    os.sched_setaffinity(0, cpus)
    config = Config(provider="openvino-cpu", batch_size=2, intra_op_threads=len(cpus))
    session = backend.open(pathlib.Path(sys.argv[1]), config, {"x": (2, 3, 96, 96)})
    kept.append((session, cpus))
for session, cpus in (*kept, *reversed(kept)):
    os.sched_setaffinity(0, cpus)
    for _ in range(3):
        session.run(batch)
    threads = pathlib.Path("/proc/self/task").iterdir()
    used = {cpu for thread in threads for cpu in os.sched_getaffinity(int(thread.name))}
    seen.append([cpus, sorted(used)])
print(json.dumps(seen))
"""


@pytest.fixture
def backend():
    """Return the backend where OpenVINO is installed."""
    found = backends.load(backends.locate("openvino-cpu"))
    if found.version() is None:
        pytest.skip("openvino is not installed")
    return found


@pytest.fixture
def fresh_survey():
    """Forget what is known about the devices, before and after."""
    openvino_core.capabilities.cache_clear()
    yield
    openvino_core.capabilities.cache_clear()


def in_a_process(code, *arguments, **environment):
    """Run *code* in a fresh interpreter and return what it printed."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    ).stdout


@pytest.mark.usefixtures("backend")
def test_threads_stay_on_the_cpus_of_their_session(steady_model):
    """Whatever ran before in the process, and whichever session's turn it is."""
    for cpus, used in json.loads(in_a_process(USED_IN_TURN, steady_model)):
        assert used == cpus


@pytest.mark.usefixtures("backend")
def test_nothing_is_reported_to_anybody(tmp_path):
    """OpenVINO's own import would leave a file in the home folder and send its number."""
    code = "from autotuner.backends.openvino_core import import_openvino; import_openvino()"
    in_a_process(code, HOME=str(tmp_path), CI="")
    assert list(tmp_path.iterdir()) == []


def test_more_threads_than_cpus_are_refused(backend, tiny_model):
    """OpenVINO would run fewer and not say so."""
    config = Config(provider="openvino-cpu", intra_op_threads=1000)
    with pytest.raises(BackendFailure, match="threads at most"):
        backend.open(tiny_model, config, {"x": (1, 3, 16, 16)})


def test_a_precision_that_the_cpu_lacks_is_refused(backend, tiny_model):
    """OpenVINO would compute in another one and not say so."""
    lacking = {"bf16", "fp16"} - backend.precisions("openvino-cpu").keys()
    for precision in lacking:
        config = Config(provider="openvino-cpu", precision=precision)
        with pytest.raises(BackendFailure, match=precision) as caught:
            backend.open(tiny_model, config, {"x": (1, 3, 16, 16)})
        assert caught.value.reason == "unsupported"


@pytest.mark.usefixtures("fresh_survey")
def test_a_broken_installation_is_explained(backend, tmp_path, monkeypatch):
    """With the import's own words, and for every kind of device."""
    (tmp_path / "openvino.py").write_text("raise ImportError('libtbb.so.12 is missing')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for problem in backend.providers().values():
        assert "libtbb.so.12 is missing" in problem


def test_a_device_that_is_not_here_is_explained(backend):
    """The driver that would bring it is named."""
    for provider, driver in {"openvino-gpu": "intel-opencl-icd", "openvino-npu": "npu"}.items():
        problem = backend.providers()[provider]
        assert problem is None or driver in problem


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (
            RuntimeError(
                "Exception from src/inference/src/cpp/core.cpp:93:\n"
                "Check 'ok' failed at src/core/src/model.cpp:12:\nNo kernel\nfor Juggle\n"
            ),
            "unsupported",
            "No kernel for Juggle",
        ),
        (RuntimeError("std::bad_alloc"), "oom", "std::bad_alloc"),
        (MemoryError(), "oom", "MemoryError"),
    ],
)
def test_errors_keep_openvinos_words_on_one_line(error, reason, detail):
    """Without the places in its source."""
    failure = openvino._failure(error, loading=True)
    assert (failure.reason, failure.detail) == (reason, detail)
