"""A profile at work: the caller's data, the measured workers."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import onnxruntime
import pytest
from made_profiles import proven

import autotuner
from autotuner import store
from autotuner.core.config import Config
from autotuner.core.errors import InputError
from autotuner.core.request import Workload
from autotuner.serve import Overloaded

CONFIG = Config(batch_size=4, workers=2, intra_op_threads=1)
SERVER = Config(batch_size=4, workers=2, intra_op_threads=1, max_queue_delay_ms=5.0)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a state folder of the test's own."""
    monkeypatch.setenv("AUTOTUNE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AUTOTUNE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "state"


@pytest.fixture
def kept(home, tiny_model):
    """Keep a profile of the tiny model with a configuration and return its name."""

    def keep(config=CONFIG):
        workload = Workload(model=str(tiny_model))
        profile = proven(tiny_model, config=config, workload=workload)
        return store.ProfileStore(home / "profiles").save(profile).stem

    return keep


@pytest.fixture(scope="module")
def samples():
    """Return 42 samples, ten full batches and a half."""
    rng = np.random.default_rng(5)
    return rng.standard_normal((42, 3, 16, 16), dtype=np.float32)


@pytest.fixture(scope="module")
def expected(tiny_model, samples):
    """Return what the runtime itself answers to them."""
    session = onnxruntime.InferenceSession(tiny_model, providers=["CPUExecutionProvider"])
    (answers,) = session.run(None, {"x": samples})
    return answers


def same(answers, expected):
    """Say whether answers are those of the runtime."""
    return np.allclose(answers, expected, atol=1e-5)


def test_a_batch_of_any_size_is_answered_in_order(kept, samples, expected):
    """By all workers; the last batch may be smaller."""
    with autotuner.open_profile(kept(), force=True) as pool:
        assert len(set(pool.pids)) == CONFIG.workers
        for count in (1, 4, 42):
            answers = pool.run({"x": samples[:count]})
            assert list(answers) == ["y"]
            assert same(answers["y"], expected[:count])


def test_single_requests_are_batched(kept, samples, expected):
    """Each gets its own answer."""
    with autotuner.open_profile(kept(SERVER), force=True) as pool:
        futures = [pool.submit({"x": samples[n : n + 1]}) for n in range(42)]
        for n, future in enumerate(futures):
            assert same(future.result(timeout=60)["y"], expected[n : n + 1])


def test_no_request_is_lost_when_a_worker_dies(kept, samples, expected):
    """Under load, one after the other; the dead ones are replaced."""
    with autotuner.open_profile(kept(SERVER), force=True) as pool:
        first, wrong = pool.pids, []

        def ask():
            for n in range(200):
                answer = pool.submit({"x": samples[n % 42 : n % 42 + 1]}).result(timeout=60)
                if not same(answer["y"], expected[n % 42 : n % 42 + 1]):
                    wrong.append(n)

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        for pid in first:
            time.sleep(0.05)
            os.kill(pid, signal.SIGKILL)
        for asker in askers:
            asker.join(timeout=60)
        assert not any(asker.is_alive() for asker in askers)
        assert wrong == []
        assert same(pool.run({"x": samples})["y"], expected)
        deadline = time.monotonic() + 60
        while set(pool.pids) & set(first):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_what_waits_is_bounded(kept, samples):
    """Whoever will not wait is told."""
    with autotuner.open_profile(kept(SERVER), force=True, most_waiting=1) as pool:
        for pid in pool.pids:
            os.kill(pid, signal.SIGSTOP)

        def ask_too_much():
            for n in range(20):
                pool.submit({"x": samples[n : n + 1]}, timeout_s=0.05)

        with pytest.raises(Overloaded):
            ask_too_much()
        for pid in pool.pids:
            os.kill(pid, signal.SIGCONT)


def test_inputs_that_do_not_fit_reach_no_worker(kept, samples):
    """The pool goes on."""
    with autotuner.open_profile(kept(), force=True) as pool:
        with pytest.raises(InputError, match="x should be"):
            pool.run({"x": samples[:, :1]})
        with pytest.raises(ValueError, match="one sample"):
            pool.submit({"x": samples})
        assert len(pool.run({"x": samples})["y"]) == 42


def test_a_profile_of_another_model_is_refused(kept):
    """What has changed is named; its file says another hash."""
    with pytest.raises(InputError, match="model_sha256 has changed"):
        autotuner.open_profile(kept())


def test_a_model_stands_for_its_newest_proven_profile(kept, tiny_model):
    """By path or by name; without one, what makes one is said."""
    kept()
    for name in (tiny_model, "tiny"):
        with autotuner.open_profile(name, force=True) as pool:
            assert len(pool.pids) == 2
    with pytest.raises(InputError, match="no proven profile of 'other"):
        autotuner.open_profile("other.onnx")


def test_nothing_is_left_behind(kept):
    """When the block ends, the workers have ended."""
    with autotuner.open_profile(kept(), force=True) as pool:
        pids = pool.pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
