"""What every runtime must do, so that the bench can use one like another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from autotuner import backends
from autotuner.backends import BackendFailure
from autotuner.core.config import Config
from autotuner.core.errors import InputError
from autotuner.core.outcome import FAILURE_REASONS

RNG = np.random.default_rng(2)


@pytest.fixture(params=sorted(backends.BACKENDS))
def backend(request):
    """Return the backend of every known runtime that is installed here."""
    found = backends.load(backends.BACKENDS[request.param])
    if found.version() is None:
        pytest.skip(f"{request.param} is not installed")
    found.start()
    return found


@pytest.fixture
def config(backend):
    """Return the simplest configuration of the first usable provider."""
    usable = [name for name, problem in backend.providers().items() if problem is None]
    if not usable:
        pytest.skip("no provider of this runtime is usable here")
    return Config(provider=usable[0], intra_op_threads=1)


def feeds(batch_size):
    """Return a batch for the tiny model."""
    return {"x": RNG.standard_normal((batch_size, 3, 16, 16)).astype(np.float32)}


def test_every_provider_says_whether_it_is_usable(backend):
    """A name leads back to its runtime, and what is not usable is explained."""
    providers = backend.providers()
    assert providers
    for name, problem in providers.items():
        assert backends.BACKENDS[name.partition("-")[0]] == backends.locate(name)
        assert isinstance(backends.load(backends.locate(name)), type(backend))
        assert problem is None or problem.strip()


def test_the_version_begins_with_a_number(backend):
    """It is a part of the fingerprint."""
    assert backend.version()[0].isdigit()


def test_starting_twice_does_no_harm(backend):
    """A worker starts the runtime before it knows what it will be asked."""
    backend.start()


def test_a_session_answers_for_every_sample_of_a_batch(backend, config, tiny_model):
    """The batch size is that of what is fed."""
    for batch_size in (1, 3):
        session = backend.open(tiny_model, replace(config, batch_size=batch_size))
        (output,) = session.run(feeds(batch_size))
        assert np.asarray(output).shape == (batch_size, 10)
        session.close()


def test_the_same_batch_has_the_same_answer(backend, config, tiny_model):
    """In one session and in another one of the same configuration."""
    batch = feeds(2)
    first, second = backend.open(tiny_model, config), backend.open(tiny_model, config)
    (answer,) = first.run(batch)
    for session in (first, second):
        np.testing.assert_array_equal(session.run(batch)[0], answer)
    first.close()
    second.close()


def test_samples_do_not_depend_on_their_batch(backend, config, tiny_model):
    """Batching is a matter of speed alone."""
    batch = feeds(4)
    session = backend.open(tiny_model, config)
    (together,) = session.run(batch)
    alone = [session.run({"x": batch["x"][i : i + 1]})[0] for i in range(4)]
    session.close()
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-4, atol=1e-5)


def test_an_answer_stays_when_the_next_batch_runs(backend, config, tiny_model):
    """Outputs are not a view of something that is written again."""
    session = backend.open(tiny_model, config)
    (answer,) = session.run(feeds(1))
    kept = np.array(answer)
    session.run(feeds(1))
    np.testing.assert_array_equal(answer, kept)
    session.close()


def test_closing_twice_does_no_harm(backend, config, tiny_model):
    """And one session's end is not another's."""
    first, second = backend.open(tiny_model, config), backend.open(tiny_model, config)
    first.close()
    first.close()
    assert second.run(feeds(1))
    second.close()


def _unknown_operator(path, _):
    graph = helper.make_graph(
        [helper.make_node("Juggle", ["x"], ["y"])],
        "unknown",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 16, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    onnx.save(helper.make_model(graph, ir_version=8), path)


def _truncated(path, whole):
    path.write_bytes(whole[: len(whole) // 2])


def _empty(path, _):
    path.write_bytes(b"")


def _text(path, _):
    path.write_text("this is no model")


def _absent(_, __):
    """Write nothing."""


@pytest.mark.parametrize("spoil", [_unknown_operator, _truncated, _empty, _text, _absent])
def test_a_model_that_cannot_be_loaded_is_refused(backend, config, tiny_model, tmp_path, spoil):
    """With a reason from the list and the runtime's own words on one line."""
    path = tmp_path / "spoiled.onnx"
    spoil(path, tiny_model.read_bytes())
    with pytest.raises(BackendFailure) as caught:
        backend.open(path, config)
    assert caught.value.reason == "unsupported"
    assert caught.value.detail.strip()
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize(
    "wrong",
    [
        {"x": np.zeros((1, 4, 16, 16), np.float32)},
        {"x": np.zeros((1, 3, 16, 16), np.float64)},
        {"x": np.zeros(3, np.float32)},
        {},
    ],
    ids=["shape", "type", "rank", "nothing"],
)
def test_a_batch_that_does_not_fit_is_refused(backend, config, tiny_model, wrong):
    """The failure is one of the known kinds, and the session still works."""
    session = backend.open(tiny_model, config)
    with pytest.raises(BackendFailure) as caught:
        session.run(wrong)
    assert caught.value.reason in FAILURE_REASONS
    assert session.run(feeds(1))
    session.close()


@pytest.mark.parametrize("setting", [{"precision": "int3"}, {"provider": "onnxruntime-abacus"}])
def test_a_setting_that_the_runtime_does_not_know_is_refused(backend, config, tiny_model, setting):
    """Nothing is measured under a name that it does not deserve."""
    with pytest.raises(BackendFailure) as caught:
        backend.open(tiny_model, replace(config, **setting))
    assert caught.value.reason == "unsupported"
    assert next(iter(setting.values())) in caught.value.detail


def test_an_unknown_runtime_is_an_error_of_the_input():
    """The message repeats the name."""
    with pytest.raises(InputError, match="'abacus-cpu'"):
        backends.locate("abacus-cpu")
