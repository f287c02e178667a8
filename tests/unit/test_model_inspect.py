from __future__ import annotations

import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from autotuner.core.errors import ModelError
from autotuner.model.info import TensorInfo
from autotuner.model.inspect import inspect

FLOAT = TensorProto.FLOAT


@pytest.fixture
def external_model(tiny_model, tmp_path):
    """Path of the tiny network with its weights in weights.bin beside it."""
    path = tmp_path / "external.onnx"
    onnx.save_model(
        onnx.load(tiny_model),
        path,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    return path


def test_what_the_file_declares(tiny_model):
    """Inputs, outputs, opset, operators and size come out as they were written."""
    info = inspect(tiny_model)
    assert info.name == "tiny"
    assert info.inputs == (TensorInfo(name="x", element_type="float32", shape=("N", 3, 16, 16)),)
    assert info.outputs == (TensorInfo(name="y", element_type="float32", shape=("N", 10)),)
    assert (info.opset, info.ir_version, info.batch) == (17, 8, "free")
    assert info.operators == {"Conv": 1, "Relu": 1, "GlobalAveragePool": 1, "Flatten": 1, "Gemm": 1}
    assert info.size_bytes == tiny_model.stat().st_size


def test_free_axes_are_recognised_however_they_are_spelt(save_model):
    """Exporters write a free axis as a symbol, nothing, 0, -1 or a question mark."""
    path = save_model(("x", FLOAT, ["N", None, 0, -1, "?", 3]))
    assert inspect(path).inputs[0].shape == ("N", None, None, None, None, 3)


def test_an_undeclared_rank_is_none(save_model):
    """No shape at all differs from a scalar's empty shape."""
    info = inspect(save_model(("x", FLOAT, None), ("s", FLOAT, [])))
    assert [tensor.shape for tensor in info.inputs] == [None, ()]


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (TensorProto.FLOAT16, "float16"),
        (TensorProto.BFLOAT16, "bfloat16"),
        (TensorProto.STRING, "string"),
        (TensorProto.INT64, "int64"),
        (TensorProto.INT4, "int4"),
    ],
)
def test_element_types_are_named_as_in_numpy(save_model, number, name):
    """A type is called as NumPy or ml_dtypes calls it."""
    assert inspect(save_model(("x", number, ["N"]))).inputs[0].element_type == name


def test_initialisers_listed_as_inputs_are_no_inputs(tiny_model, tmp_path):
    """Old exporters list weights among the inputs; nobody has to feed those."""
    model = onnx.load(tiny_model)
    model.graph.input.append(helper.make_tensor_value_info("dense_b", FLOAT, [10]))
    path = tmp_path / "old.onnx"
    onnx.save(model, path)
    assert [tensor.name for tensor in inspect(path).inputs] == ["x"]


def test_operators_inside_branches_and_of_other_domains_are_counted(tmp_path):
    """Nodes of inner graphs count; an operator of another domain carries its name."""
    y = helper.make_tensor_value_info("y", FLOAT, None)
    branch = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "branch", [], [y])
    nodes = [
        helper.make_node("If", ["c"], ["i"], then_branch=branch, else_branch=branch),
        helper.make_node("Special", ["i"], ["y"], domain="org.example"),
    ]
    inputs = [
        helper.make_tensor_value_info("x", FLOAT, ["N"]),
        helper.make_tensor_value_info("c", TensorProto.BOOL, []),
    ]
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", inputs, [y])), path)
    assert inspect(path).operators == {"If": 1, "Relu": 2, "org.example.Special": 1}


def test_outputs_need_not_be_tensors(save_model, tmp_path):
    """An output that is a sequence is named as one and does not disturb."""
    model = onnx.load(save_model(("x", FLOAT, ["N"])))
    model.graph.output.append(helper.make_tensor_sequence_value_info("list", FLOAT, None))
    path = tmp_path / "sequence.onnx"
    onnx.save(model, path)
    assert inspect(path).outputs[1] == TensorInfo(name="list", element_type="sequence", shape=None)


@pytest.mark.parametrize(
    ("imgsz", "image_size"),
    [
        ("[640, 480]", (640, 480)),
        ("640", (640, 640)),
        ("[640]", None),
        ("[0, 640]", None),
        ("large", None),
        ('{"a": 1}', None),
    ],
)
def test_the_exporters_image_size_is_read(save_model, imgsz, image_size):
    """Ultralytics notes the image size in the metadata; anything odd there is ignored."""
    path = save_model(("x", FLOAT, ["N", 3, "H", "W"]), metadata={"imgsz": imgsz})
    assert inspect(path).image_size == image_size


def test_the_hash_is_that_of_the_content(save_model):
    """The same content under another name has the same hash, other content another."""
    first = inspect(save_model(("x", FLOAT, ["N"]), name="a.onnx"))
    copy = inspect(save_model(("x", FLOAT, ["N"]), name="b.onnx"))
    other = inspect(save_model(("x", FLOAT, ["M"]), name="c.onnx"))
    assert first.sha256 == copy.sha256 != other.sha256


def test_external_data_counts(external_model):
    """External weights are part of the size and of the hash."""
    before = inspect(external_model)
    weights = external_model.with_name("weights.bin")
    assert before.size_bytes == external_model.stat().st_size + weights.stat().st_size
    content = bytearray(weights.read_bytes())
    content[0] ^= 1
    weights.write_bytes(content)
    assert inspect(external_model).sha256 != before.sha256


def test_missing_external_data_is_named(external_model):
    """The message names the missing file and where it belongs."""
    external_model.with_name("weights.bin").unlink()
    with pytest.raises(
        ModelError, match=rf"weights\.bin, which is missing.*{external_model.parent}"
    ):
        inspect(external_model)


def test_truncated_external_data_is_named(external_model):
    """External weights that are too short are noticed without loading them."""
    weights = external_model.with_name("weights.bin")
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"weights\.bin.*truncated"):
        inspect(external_model)


@pytest.mark.parametrize(
    ("old", "new"), [(b"location", b"lacation"), (b"weights.bin", b"\xff" * 11)]
)
def test_a_damaged_reference_to_external_data_is_refused(external_model, old, new):
    """Keys and values of external data that make no sense are damage, not a crash."""
    external_model.write_bytes(external_model.read_bytes().replace(old, new))
    with pytest.raises(ModelError, match="copy"):
        inspect(external_model)


def test_a_name_that_is_no_text_is_refused(save_model):
    """An input must have a name that can be typed and shown."""
    path = save_model(("label", FLOAT, ["N"]))
    path.write_bytes(path.read_bytes().replace(b"label", b"\xff" * 5))
    with pytest.raises(ModelError, match="is damaged"):
        inspect(path)


def test_external_data_inside_a_constant_node_is_found(tmp_path):
    """Weights may hide in the attributes of nodes."""
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "c")
    onnx.external_data_helper.set_external_data(tensor, location="hidden.bin")
    tensor.ClearField("raw_data")
    x, y = (helper.make_tensor_value_info(name, FLOAT, [4]) for name in "xy")
    nodes = [
        helper.make_node("Constant", [], ["c"], value=tensor),
        helper.make_node("Add", ["x", "c"], ["y"]),
    ]
    path = tmp_path / "model.onnx"
    path.write_bytes(helper.make_model(helper.make_graph(nodes, "g", [x], [y])).SerializeToString())
    with pytest.raises(ModelError, match=r"hidden\.bin"):
        inspect(path)


def test_a_model_without_inputs_is_refused(save_model):
    """Nothing can be measured where nothing can be fed."""
    with pytest.raises(ModelError, match="no graph inputs"):
        inspect(save_model())


def test_an_input_that_is_no_tensor_is_refused(save_model, tmp_path):
    """A sequence cannot be fed."""
    model = onnx.load(save_model(("x", FLOAT, ["N"])))
    model.graph.input.append(helper.make_tensor_sequence_value_info("list", FLOAT, None))
    path = tmp_path / "sequence.onnx"
    onnx.save(model, path)
    with pytest.raises(ModelError, match=r"input list of .* is a sequence"):
        inspect(path)


def test_a_missing_file_is_named(tmp_path):
    """The message holds the path."""
    with pytest.raises(ModelError, match=r"no file .*none\.onnx"):
        inspect(tmp_path / "none.onnx")


def test_a_folder_is_no_model(tmp_path):
    """A folder is called one."""
    with pytest.raises(ModelError, match="is a folder"):
        inspect(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(tiny_model, tmp_path):
    """Missing permissions are named as the cause."""
    path = tmp_path / "secret.onnx"
    path.write_bytes(tiny_model.read_bytes())
    path.chmod(0)
    with pytest.raises(ModelError, match="check its permissions"):
        inspect(path)


def test_a_file_beyond_the_format_is_refused(tmp_path):
    """An ONNX file cannot exceed 2 GB; the way out is external data."""
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(ModelError, match="external data"):
        inspect(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"PK\x03\x04" + b"\0" * 26 + b"archive/data.pkl", r"torch\.onnx\.export"),
        (bytes(range(256)), "truncated or no ONNX"),
        (b"\x08\x08", "no complete ONNX model"),
    ],
)
def test_a_file_that_is_no_onnx_is_refused(tmp_path, content, words):
    """The message says what the file seems to be and what to do."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=words):
        inspect(path)


def test_a_truncated_file_is_refused_wherever_it_was_cut(tiny_model, tmp_path):
    """No prefix of a model passes for a model."""
    content = tiny_model.read_bytes()
    path = tmp_path / "cut.onnx"
    for length in range(1, len(content), 13):
        path.write_bytes(content[:length])
        with pytest.raises(ModelError):
            inspect(path)
