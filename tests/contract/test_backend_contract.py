"""What every runtime must do, so that the bench can use one like another."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import onnx
import pytest
import variants
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from autotuner import backends
from autotuner.backends import BackendFailure
from autotuner.core.config import Config
from autotuner.core.errors import InputError
from autotuner.core.outcome import FAILURE_REASONS

RNG = np.random.default_rng(2)


INSTALLED = [
    found for found in map(backends.load, backends.BACKENDS.values()) if found.version() is not None
]
USABLE = [
    provider
    for found in INSTALLED
    for provider, problem in found.providers().items()
    if problem is None
]


@pytest.fixture(params=USABLE)
def config(request):
    """Return the simplest configuration of every provider that is usable here."""
    precisions = backends.load(backends.locate(request.param)).precisions(request.param)
    return Config(provider=request.param, precision=next(iter(precisions)), intra_op_threads=1)


@pytest.fixture
def backend(config):
    """Return the backend of the configuration's provider, started."""
    found = backends.load(backends.locate(config.provider))
    found.start()
    return found


def feeds(batch_size):
    """Return a batch for the tiny model."""
    return {"x": RNG.standard_normal((batch_size, 3, 16, 16)).astype(np.float32)}


def opened(backend, model, config):
    """Open the tiny model for full batches of the configuration's size."""
    return backend.open(model, config, {"x": (config.batch_size, 3, 16, 16)})


def test_the_runtimes_of_this_machine_are_installed():
    """So that nothing below is left out without a word."""
    if os.environ.get("CI") or os.environ.get("AUTOTUNE_REQUIRE_RIGS"):
        assert {"onnxruntime-cpu", "openvino-cpu"} <= set(USABLE)


@pytest.mark.parametrize("name", backends.BACKENDS)
def test_every_provider_says_whether_it_is_usable(name):
    """A name leads back to its runtime, and what is not usable is explained."""
    found = backends.load(backends.BACKENDS[name])
    providers = found.providers()
    assert providers
    for provider, problem in providers.items():
        assert backends.BACKENDS[name] == backends.locate(provider)
        assert problem is None or problem.strip()


def test_every_provider_reads_the_model_as_it_is(backend, config):
    """In FP32 where it can; what each precision reads is a known variant of the model."""
    graphs = backend.precisions(config.provider)
    assert config.precision in ("fp32", "tf32")
    assert graphs[config.precision] == "fp32"
    assert set(graphs.values()) <= {"fp32", "fp16", "int8", "int8-symmetric", "int8-dynamic"}


def test_a_precision_that_reads_the_same_graph_answers_nearly_the_same(backend, config, tiny_model):
    """The graph is FP32, so its own precision is exact; others round, and really do."""
    batch, answers = feeds(4), {}
    for precision, graph in backend.precisions(config.provider).items():
        if graph == "fp32":
            session = opened(
                backend, tiny_model, replace(config, precision=precision, batch_size=4)
            )
            (answers[precision],) = session.run(batch)
            session.close()
    exact = answers.pop(config.precision)
    for answer in answers.values():
        error = np.abs(answer - exact).max() / np.abs(exact).max()
        assert 0.0 < error < 0.02


def test_a_precision_with_a_graph_of_its_own_answers_like_it(backend, config, tiny_model, tmp_path):
    """Half precision and 8 bits round, and come close to ONNX's definition all the same."""
    batch = feeds(2)
    (exact,) = ReferenceEvaluator(str(tiny_model)).run(None, batch)
    for precision, graph in backend.precisions(config.provider).items():
        if graph not in ("fp16", "int8", "int8-symmetric"):
            continue
        path = variants.save(graph, tiny_model, tmp_path / f"{graph}.onnx")
        typed = {"x": batch["x"].astype(np.float16 if graph == "fp16" else np.float32)}
        session = opened(backend, path, replace(config, precision=precision, batch_size=2))
        (answer,) = session.run(typed)
        session.close()
        error = np.abs(answer.astype(np.float32) - exact).max() / np.abs(exact).max()
        assert 0.0 < error < 0.02


def test_every_runtime_answers_like_the_definition(backend, config, tiny_model):
    """ONNX's reference implementation says what it has to be."""
    tolerance = 1e-4 if config.precision == "fp32" else 2e-2
    batch = feeds(2)
    session = opened(backend, tiny_model, replace(config, batch_size=2))
    (answer,) = session.run(batch)
    session.close()
    (expected,) = ReferenceEvaluator(str(tiny_model)).run(None, batch)
    np.testing.assert_allclose(answer, expected, rtol=tolerance, atol=tolerance / 10.0)


def test_the_version_begins_with_a_number(backend):
    """It is a part of the fingerprint."""
    assert backend.version()[0].isdigit()


def test_starting_twice_does_no_harm(backend):
    """A worker starts the runtime before it knows what it will be asked."""
    backend.start()


def test_a_session_answers_for_every_sample_of_a_batch(backend, config, tiny_model):
    """The batch size is that of what is fed."""
    for batch_size in (1, 3):
        session = opened(backend, tiny_model, replace(config, batch_size=batch_size))
        (output,) = session.run(feeds(batch_size))
        assert np.asarray(output).shape == (batch_size, 10)
        session.close()


def test_the_same_batch_has_the_same_answer(backend, config, tiny_model):
    """In one session and in another one of the same configuration."""
    batch, config = feeds(2), replace(config, batch_size=2)
    first, second = opened(backend, tiny_model, config), opened(backend, tiny_model, config)
    (answer,) = first.run(batch)
    for session in (first, second):
        np.testing.assert_array_equal(session.run(batch)[0], answer)
    first.close()
    second.close()


def test_samples_do_not_depend_on_their_batch(backend, config, tiny_model):
    """Batching is a matter of speed alone."""
    batch = feeds(4)
    session = opened(backend, tiny_model, replace(config, batch_size=4))
    (together,) = session.run(batch)
    alone = [session.run({"x": batch["x"][i : i + 1]})[0] for i in range(4)]
    session.close()
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("delay_ms", [None, 5.0])
def test_a_smaller_batch_fits_into_a_session(backend, config, tiny_model, delay_ms):
    """A queue does not always fill a batch; small and full ones may come in any order."""
    config = replace(config, batch_size=4, max_queue_delay_ms=delay_ms)
    batch = feeds(4)
    session = opened(backend, tiny_model, config)
    (whole,) = session.run(batch)
    for size in (1, 4, 3, 4):
        (part,) = session.run({"x": batch["x"][:size]})
        np.testing.assert_allclose(part, whole[:size], rtol=1e-4, atol=1e-5)
    session.close()


def test_an_answer_stays_when_the_next_batch_runs(backend, config, tiny_model):
    """Outputs are not a view of something that is written again."""
    session = opened(backend, tiny_model, config)
    (answer,) = session.run(feeds(1))
    kept = np.array(answer)
    session.run(feeds(1))
    np.testing.assert_array_equal(answer, kept)
    session.close()


def test_a_bound_batch_runs_as_often_as_one_likes(backend, config, tiny_model):
    """And the session answers other batches as before."""
    config, batch = replace(config, batch_size=2), feeds(2)
    session = opened(backend, tiny_model, config)
    (answer,) = session.run(batch)
    run = session.bind(feeds(2))
    run()
    run()
    np.testing.assert_array_equal(session.run(batch)[0], answer)
    session.close()


def test_closing_twice_does_no_harm(backend, config, tiny_model):
    """And one session's end is not another's."""
    first, second = opened(backend, tiny_model, config), opened(backend, tiny_model, config)
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
        opened(backend, path, config)
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
    session = opened(backend, tiny_model, config)
    with pytest.raises(BackendFailure) as caught:
        session.run(wrong)
    assert caught.value.reason in FAILURE_REASONS
    assert session.run(feeds(1))
    session.close()


@pytest.mark.parametrize("setting", [{"precision": "int3"}, {"provider": "onnxruntime-abacus"}])
def test_a_setting_that_the_runtime_does_not_know_is_refused(backend, config, tiny_model, setting):
    """Nothing is measured under a name that it does not deserve."""
    with pytest.raises(BackendFailure) as caught:
        opened(backend, tiny_model, replace(config, **setting))
    assert caught.value.reason == "unsupported"
    assert next(iter(setting.values())) in caught.value.detail


def test_an_unknown_runtime_is_an_error_of_the_input():
    """The message repeats the name."""
    with pytest.raises(InputError, match="'abacus-cpu'"):
        backends.locate("abacus-cpu")
