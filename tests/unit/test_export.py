from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from core_values import profiles, quickly
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from made_profiles import proven
from tritonclient.grpc import model_config_pb2

from autotuner import export
from autotuner.core.config import Config
from autotuner.core.deployable import reasons_to_refuse
from autotuner.core.errors import InputError
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Measurement
from autotuner.core.profile import Evidence

BEST = Config(
    batch_size=8,
    workers=2,
    intra_op_threads=1,
    affinity="compact",
    max_queue_delay_ms=2.5,
)
PROFILE = proven(
    Path("/models/net.onnx"),
    objective=Objective.maximize("throughput_ips", [Constraint("p99.9_ms", at_most=50.0)]),
    winner=Evidence(
        config=BEST,
        measurement=Measurement(throughput_ips=120.5, extra={"p99.9_ms": 17.5}),
    ),
    baseline=Evidence(config=Config(), measurement=Measurement(throughput_ips=20.0)),
    fingerprint=Fingerprint(model_sha256="ab", shapes={"images": (3, 320, 320)}),
)


def with_config(**settings):
    """Return the profile with other *settings* of its winner."""
    config = replace(BEST, **settings)
    return replace(PROFILE, winner=replace(PROFILE.winner, config=config))


def triton(profile):
    """Return the configuration that Triton's own protobuf reads out of the export."""
    (text,) = export.files(profile, "triton").values()
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def test_triton_gets_batching_instances_and_threads():
    """One instance for each worker, batches that wait no longer than was tuned."""
    config = triton(PROFILE)
    (group,) = config.instance_group
    assert (config.backend, config.max_batch_size) == ("onnxruntime", 8)
    assert (group.count, group.kind) == (2, model_config_pb2.ModelInstanceGroup.KIND_CPU)
    assert list(config.dynamic_batching.preferred_batch_size) == [8]
    assert config.dynamic_batching.max_queue_delay_microseconds == 2500
    assert config.parameters["intra_op_thread_count"].string_value == "1"


def test_triton_leaves_single_requests_and_default_threads_alone():
    """Batch 1 has nothing to wait for, and the runtime's own threads are no number."""
    config = triton(with_config(batch_size=1, intra_op_threads=None))
    assert not config.HasField("dynamic_batching")
    assert not config.parameters


def test_triton_takes_a_fixed_batch_as_part_of_the_shape():
    """Where the model itself fixes the batch, the server must not add an axis of its own."""
    fixed = Evidence(config=Config(batch_size=8), measurement=Measurement())
    config = triton(replace(PROFILE, baseline=fixed))
    assert config.max_batch_size == 0
    assert not config.HasField("dynamic_batching")


@pytest.mark.parametrize(
    ("provider", "precision", "mode"),
    [
        ("onnxruntime-cuda", "fp32", None),
        ("onnxruntime-tensorrt", "fp32", ""),
        ("onnxruntime-tensorrt", "fp16", "FP16"),
    ],
)
def test_triton_runs_on_the_gpu_what_was_tuned_there(provider, precision, mode):
    """TensorRT inside ONNX Runtime is an accelerator with the precision that was tuned."""
    config = triton(with_config(provider=provider, precision=precision))
    accelerators = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert config.instance_group[0].kind == model_config_pb2.ModelInstanceGroup.KIND_GPU
    assert [a.parameters.get("precision_mode", "") for a in accelerators] == (
        [] if mode is None else [mode]
    )


def test_triton_runs_openvino_by_its_own_backend():
    """One stream for each instance, with the threads of a worker."""
    config = triton(with_config(provider="openvino-cpu"))
    assert (config.backend, config.default_model_filename) == ("openvino", "model.onnx")
    values = {key: value.string_value for key, value in config.parameters.items()}
    assert values == {"NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": "1"}


@quickly
@given(profiles, st.sampled_from(["onnxruntime-cpu", "openvino-cpu"]))
def test_triton_reads_any_profile(profile, provider):
    """Names in any script, line breaks and quotes do not break out of their place."""
    winner = replace(profile.winner, config=replace(profile.winner.config, provider=provider))
    config = triton(replace(profile, winner=winner))
    assert config.instance_group[0].count == winner.config.concurrency


def test_session_options_say_the_same_in_code_and_json():
    """What the JSON lists is what the code's constants hold."""
    files = export.files(PROFILE, "ort")
    options = json.loads(files["ort_session.json"])
    assert options == {
        "model": "/models/net.onnx",
        "precision": "fp32",
        "batch_size": 8,
        "workers": 2,
        "streams": 1,
        "affinity": "compact",
        "intra_op_num_threads": 1,
        "providers": ["CPUExecutionProvider"],
    }
    names = {}
    exec(files["ort_session.py"], names)
    assert names["INTRA_OP_THREADS"] == options["intra_op_num_threads"]
    assert names["PROVIDERS"] == options["providers"]
    assert names["session_options"]().intra_op_num_threads == 1


def test_openvino_properties_name_streams_threads_and_precision():
    """One stream a worker, as it was measured."""
    profile = with_config(provider="openvino-cpu", precision="bf16")
    files = export.files(profile, "openvino")
    settings = json.loads(files["openvino_model.json"])
    assert settings["device"] == "CPU"
    assert settings["properties"] == {
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "bf16",
        "ENABLE_CPU_PINNING": False,
        "INFERENCE_NUM_THREADS": 1,
        "ENABLE_HYPER_THREADING": True,
    }
    assert settings["sample_shapes"] == {"images": [3, 320, 320]}
    compile(files["openvino_model.py"], "openvino_model.py", "exec")


def test_what_a_quantised_graph_leaves_in_float_is_computed_in_fp32():
    """Left to itself OpenVINO takes a narrower type where it can."""
    files = export.files(with_config(provider="openvino-cpu", precision="int8"), "openvino")
    properties = json.loads(files["openvino_model.json"])["properties"]
    assert properties["INFERENCE_PRECISION_HINT"] == "f32"


@pytest.mark.parametrize(
    ("target", "provider"),
    [
        ("triton", "openvino-npu"),
        ("triton", "tensorrt"),
        ("ort", "openvino-cpu"),
        ("ort", "onnxruntime-unheard"),
        ("openvino", "onnxruntime-cpu"),
    ],
)
def test_a_runtime_that_the_target_lacks_is_refused(target, provider):
    """The figures would not be those of the profile; the message names a way out."""
    with pytest.raises(InputError, match=f"tuned for {provider}, .* export --to env"):
        export.files(with_config(provider=provider), target)


def test_a_value_that_no_line_can_hold_is_refused():
    """A line break in a path would smuggle in a variable of its own."""
    model = replace(PROFILE.model, path="/m\nLD_PRELOAD=x")
    with pytest.raises(InputError, match="AUTOTUNE_MODEL holds a control character"):
        export.files(replace(PROFILE, model=model), "env")


@quickly
@given(st.text(st.characters(exclude_categories=("C",))))
def test_an_environment_file_has_one_variable_a_line(path):
    """Whatever a path holds, a line is a comment or one assignment in double quotes."""
    model = replace(PROFILE.model, path=path)
    (text,) = export.files(replace(PROFILE, model=model), "env").values()
    for line in text.split("\n")[:-1]:
        name, equals, value = line.partition("=")
        assert line.startswith("#") or (name.isidentifier() and equals and value[-1] == '"')


def test_every_file_says_where_it_comes_from():
    """Profile, model and figures stand at the head of what has comments."""
    for target in ("triton", "ort", "env"):
        text = next(iter(export.files(PROFILE, target).values()))
        assert PROFILE.name in text
        assert "throughput_ips 120.5, p99.9_ms 17.5" in text


@pytest.mark.parametrize("target", export.TARGETS)
def test_every_file_of_a_simulated_profile_says_so(target):
    """Also those that hold no comments."""
    provider = "openvino-cpu" if target == "openvino" else "onnxruntime-cpu"
    profile = replace(with_config(provider=provider), simulated="replay:box.json")
    for text in export.files(profile, target).values():
        assert "simulated" in text.lower()


def test_mps_is_for_whoever_starts_the_workers():
    """Where it was a choice."""
    told = {None: "", False: 'AUTOTUNE_MPS="0"', True: 'AUTOTUNE_MPS="1"'}
    for mps, line in told.items():
        (text,) = export.files(with_config(mps=mps), "env").values()
        assert line in text
        assert ("AUTOTUNE_MPS" in text) == (mps is not None)


def test_a_proven_profile_is_fit_for_use():
    """Nothing speaks against it."""
    assert reasons_to_refuse(PROFILE) == ()


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (replace(PROFILE, status="interrupted"), "it is interrupted: nothing shows"),
        (with_config(provider="simulated"), "it comes from a simulated device"),
        (replace(PROFILE, simulated="jetson-tx2"), "it comes from a simulated device"),
    ],
)
def test_what_was_not_shown_on_a_real_device_is_not_fit_for_use(profile, reason):
    """Each reason stands in words of its own."""
    (found,) = reasons_to_refuse(profile)
    assert found.startswith(reason)
