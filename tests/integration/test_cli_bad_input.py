"""Bad input, each kind as a user would hand it in: one message that helps, exit 2, no harm done."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import zipfile

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from sandbox import FEW, QUICK

from autotuner.cli import options, tune_options
from autotuner.core.errors import AutotunerError
from autotuner.execution import execute
from autotuner.search.storage import close_storage, open_storage

BUDGET = ("--max-latency", "50ms")


def refused(done):
    """Check that a command run with --json refused its input properly; return the message."""
    assert done.returncode == 2, done
    document = json.loads(done.stdout)  # one document and nothing beside it
    assert document == {"status": "error", "message": document["message"]}
    assert done.stderr.splitlines()[-1] == f"autotune: {document['message']}"
    assert "Traceback" not in done.stderr
    assert document["message"].endswith((".", "?"))
    return document["message"]


@pytest.fixture
def refusal(shared_sandbox, monkeypatch):
    """Return the message with which a tuning command is refused that this process carries out.

    What the job refuses comes out of the program in one way, so that not every kind of it has to
    go there.
    """
    for name, value in shared_sandbox.environment.items():
        if name.startswith("AUTOTUNE_"):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(shared_sandbox.home)

    def carry_out(line):
        request = tune_options.tune_request(options.parse([*map(str, line)]))
        list(execute(request, lambda: False))

    def run(*line):
        with pytest.raises(AutotunerError) as caught:
            carry_out(line)
        message = str(caught.value)
        assert message.endswith((".", "?"))
        assert "\n" not in message
        return message

    return run


def model(path, nodes=None, *, shape=("N", 4), weights=(), opsets=(("", 17),)):
    """Write a model with the input x of this *shape* and the output y."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    nodes = nodes or [helper.make_node("Relu", ["x"], ["y"])]
    graph = helper.make_graph(nodes, "g", [x], [y], list(weights))
    imports = [helper.make_opsetid(*opset) for opset in opsets]
    content = helper.make_model(graph, ir_version=8, opset_imports=imports).SerializeToString()
    path.write_bytes(content)
    return content


def with_external_data(path, *, stored):
    """Write a model whose weights lie in another file, of which only *stored* bytes are there."""
    weights = numpy_helper.from_array(np.zeros((4, 4), np.float32), "w")
    onnx.external_data_helper.set_external_data(weights, "weights.bin", 0, 64)
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    model(path, [helper.make_node("MatMul", ["x", "w"], ["y"])], weights=[weights])
    if stored is not None:
        path.with_name("weights.bin").write_bytes(bytes(stored))


def archive(path, name):
    """Write a zip archive with one member."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(name, "content")


def truncated(path):
    """Write the first half of a model."""
    content = model(path, weights=[numpy_helper.from_array(np.zeros(4096, np.float32), "w")])
    path.write_bytes(content[: len(content) // 2])


def free_axes(path):
    """Write a model that leaves height and width open."""
    pool = helper.make_node("GlobalAveragePool", ["x"], ["y"])
    model(path, [pool], shape=("N", 3, "height", "width"))


def operator(name, domain=""):
    """Return a writer of a model with one node of this operator."""
    node = helper.make_node(name, ["x"], ["y"], domain=domain)
    opsets = [("", 17)] + [(domain, 1)] * bool(domain)
    return lambda path: model(path, [node], opsets=opsets)


BAD_FILES = {
    "missing": (lambda _: None, "There is no file .*; check the path"),
    "folder": (lambda path: path.mkdir(), "is a folder; give the .onnx file inside it"),
    "empty": (lambda path: path.touch(), "is empty; copy or export the model again"),
    "truncated": (truncated, "truncated or no ONNX file; copy or export the model again"),
    "text": (lambda path: path.write_text("a model"), "is no ONNX file but text; give the binary"),
    "zip": (lambda path: archive(path, "model.onnx"), "but a zip archive; unpack it first"),
    "PyTorch": (lambda path: archive(path, "data.pkl"), "a PyTorch file; export it with torch"),
    "pickle": (
        lambda path: path.write_bytes(pickle.dumps([0], protocol=2)),
        "perhaps an old PyTorch file; export it with torch",
    ),
    "no input": (
        lambda path: path.write_bytes(
            helper.make_model(helper.make_graph([], "g", [], [])).SerializeToString()
        ),
        "has no graph inputs",
    ),
    "an edge that leads nowhere": (
        lambda path: model(path, [helper.make_node("Add", ["x", "nowhere"], ["y"])]),
        "cannot be run by onnxruntime-cpu: .*nowhere.*; mend the model or export it again",
    ),
    "unknown operator": (operator("Frobnicate"), "cannot be run by onnxruntime-cpu: .*Frobnicate"),
    "unknown domain": (
        operator("Special", "com.example"),
        "cannot be run by onnxruntime-cpu: .*com.example",
    ),
    "a shape that never fits": (
        lambda path: model(
            path,
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            weights=[numpy_helper.from_array(np.zeros((5, 5), np.float32), "w")],
        ),
        "cannot be run by onnxruntime-cpu: .*; mend the model or export it again",
    ),
    "missing external data": (
        lambda path: with_external_data(path, stored=None),
        "keeps weights in weights.bin, which is missing; put that file into",
    ),
    "truncated external data": (
        lambda path: with_external_data(path, stored=10),
        "weights.bin, which holds weights of model.onnx, is truncated: 10 of 64 bytes",
    ),
    "free axes": (free_axes, "--shape x=3x"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_model_is_refused(refusal, tmp_path, kind):
    """Before or at the first measurement; the message says what the file is and what to do."""
    write, message = BAD_FILES[kind]
    write(tmp_path / "model.onnx")
    assert_says(refusal(tmp_path / "model.onnx", *BUDGET), message)


@pytest.mark.parametrize("kind", ["truncated", "unknown operator", "free axes"])
def test_the_program_refuses_a_bad_model(shared_sandbox, tmp_path, kind):
    """With exit status 2, and with one document and one line."""
    write, message = BAD_FILES[kind]
    write(tmp_path / "model.onnx")
    done = shared_sandbox.run(tmp_path / "model.onnx", *BUDGET, "--json")
    assert_says(refused(done), message)


def assert_says(text, pattern):
    """Check that *text* says what *pattern* asks for."""
    with pytest.raises(ValueError, match=pattern):
        raise ValueError(text)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["--shape", "x=4x16x16"], "does not fit the input x: .*an axis is fixed at 3, not 4"),
        (["--shape", "x=3x8"], "does not fit the input x: .*it has 2 axes, not 3"),
        (["--shape", "image=3x16x16"], "no input 'image'; known names: x"),
        (["--shape", "3x"], "'3x' is no shape; write it as NAME=3x320x320"),
        (["--data", "missing.npz"], "There is no data file .*missing.npz; check the path"),
        (["--data", "text.npz"], "is no .npz or .npy file of plain arrays"),
        (["--data", "other.npz"], "has no array for the input 'x'"),
        (
            ["--data", "wrong.npz"],
            "3x8x8 from the data does not fit the input x: .*; one sample is 3x16x16",
        ),
        (["--affinity", "scatter"], "The affinity 'scatter' is not offered here; choose from none"),
        (["--providers", "cuda"], "The provider 'cuda' is not offered here; choose from onnxr"),
        (["--storage", "sqlite:////nowhere/at/all/s.db"], "/nowhere/at/all/s.db cannot be opened"),
        (["--storage", "gibberish"], "'gibberish' cannot be opened: it is no URL"),
        (["--mps", "on"], "MPS cannot be switched on here: it needs an NVIDIA GPU; leave --mps"),
        (["--io", "device"], "--io device is for the providers onnxruntime-cuda, .*leave it out"),
    ],
)
def test_what_does_not_fit_the_model_or_the_box_is_refused(
    refusal, shared_sandbox, tiny_model, line, message
):
    """The message names the input, the option or the file."""
    home = shared_sandbox.home
    (home / "text.npz").write_text("samples")
    np.savez(home / "other.npz", y=np.zeros((2, 3, 16, 16), np.float32))
    np.savez(home / "wrong.npz", x=np.zeros((2, 3, 8, 8), np.float32))
    assert_says(refusal(tiny_model, *BUDGET, *line), message)


def test_an_unknown_model_is_refused_with_the_nearest_names(shared_sandbox):
    """A name that was almost right is the likeliest mistake."""
    message = refused(shared_sandbox.run("resnet50", *BUDGET, "--json"))
    assert "'resnet50' is neither a file nor a reference model; did you mean resnet-50" in message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--max-latency 50", "'50' has no unit; write it such as 50ms, 0.05s or 2m"),
        ("--max-latency 0ms", "'0ms' must be above zero"),
        ("--max-latency -5ms", "'-5ms' must be above zero"),
        ("--max-latency soon", "'soon' is no duration"),
        ("", "Give the latency budget, such as --max-latency 50ms"),
        ("--max-latency 50ms --tials 4", "Unrecognized arguments: --tials; see `autotune --help`"),
        ("profiles frob", "choose from '?list"),
        ("profiles show", "Say which profile: `autotune profiles show NAME`"),
        ("profiles show nosuch", "There is no profile 'nosuch'; `autotune profiles` lists them"),
        ("profiles rm nosuch", "There is no profile 'nosuch'; `autotune profiles` lists them"),
        ("verify nosuch", "There is no profile 'nosuch'; `autotune profiles` lists them"),
    ],
)
def test_bad_usage_is_refused(shared_sandbox, line, message):
    """Without starting anything."""
    assert_says(refused(shared_sandbox.run(*line.split(), "--json")), message)


def test_people_get_one_line_and_the_traceback_on_demand(shared_sandbox, tmp_path):
    """Wherever the error was found: while reading the command or in the job."""
    for line in (["--max-latency", "50"], [tmp_path / "missing.onnx", *BUDGET]):
        plain = shared_sandbox.run(*line)
        assert (plain.returncode, plain.stdout) == (2, "")
        assert plain.stderr.startswith("autotune: ")
        assert plain.stderr.count("\n") == 1
        debug = shared_sandbox.run(*line, "--debug")
        assert debug.returncode == 2
        assert debug.stderr.startswith("Traceback (most recent call last):")
        assert debug.stderr.splitlines()[-1] == plain.stderr.rstrip()


def test_one_measurement_refuses_the_same_things(shared_sandbox, tiny_model, tmp_path):
    """With the same words."""
    measure = ("measure", "--json")
    assert_says(refused(shared_sandbox.run(*measure, tmp_path / "missing.onnx")), "no file")
    bound = refused(
        shared_sandbox.run(*measure, tiny_model, "--workers", "999", "--affinity", "compact")
    )
    assert "use fewer workers or threads, or --affinity none" in bound


@pytest.mark.parametrize("variable", ["AUTOTUNE_STATE_DIR", "AUTOTUNE_CACHE_DIR", "AUTOTUNE_LOCK"])
def test_a_place_that_cannot_be_written_is_named(sandbox, tiny_model, variable):
    """A file lies where the folder should be; the message names the variable that moves it."""
    (sandbox.home / "file").touch()
    environment = {variable: str(sandbox.home / "file" / "place")}
    done = sandbox.run(tiny_model, *BUDGET, "--json", environment=environment)
    message = refused(done)
    assert str(sandbox.home / "file") in message
    assert variable in message


def namespace(*commands, then='exec "$@"'):
    """Return the start of a command that mounts by *commands*, out of everybody else's sight.

    *then* says what is done with the command. Where mounting is not allowed, the test fails if the
    box promised it, and is skipped elsewhere.
    """
    unshare = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*unshare, "mount", "-t", "tmpfs", "x", "/mnt"], check=False).returncode:
        reason = "this box does not let us mount"
        if os.environ.get("CI") or os.environ.get("AUTOTUNE_REQUIRE_RIGS"):
            pytest.fail(reason)
        pytest.skip(reason)
    return [*unshare, "sh", "-ec", "\n".join([*commands, then]), "sh"]


def small_disk(folder, size, filled_to=None):
    """Return the commands that mount a disk of *size* at *folder*, and leave *filled_to* free."""
    commands = [f"mkdir -p {folder}", f"mount -t tmpfs -o size={size} disk {folder}"]
    if filled_to is not None:
        commands.append(f"head -c $(( $(stat -fc %f {folder}) * 4096 - {filled_to} )) /dev/zero")
        commands[-1] += f" > {folder}/ballast"
    return commands


def test_a_read_only_disk_is_named(sandbox, tiny_model):
    """As after an error of the disk, when the kernel mounts it read-only."""
    state = sandbox.state
    disk = [*small_disk(state, "1m"), f"mount -o remount,ro {state}"]
    message = refused(sandbox.run(tiny_model, *BUDGET, "--json", prefix=namespace(*disk)))
    assert f"The folder {state} cannot be written (Read-only file system)" in message


@pytest.mark.parametrize("free_kib", [0, 4, 8, 12, 16, 40, 100])
def test_a_full_disk_is_named(sandbox, tiny_model, free_kib):
    """However far the command comes before it is full: job, events or study."""
    disk = small_disk(sandbox.state, "4m", filled_to=free_kib * 1024)
    command = (tiny_model, *BUDGET, "--trials", "2", "--json")
    message = refused(sandbox.run(*command, prefix=namespace(*disk)))
    assert "free some space" in message or "check the disk and its free space" in message
    assert str(sandbox.state) in message


def test_a_full_cache_is_named(sandbox):
    """A reference model has to be kept somewhere; nothing half-written stays."""
    cache = sandbox.home / "cache"
    disk = small_disk(cache, "1m")
    done = sandbox.run("squeezenet", *BUDGET, "--json", prefix=namespace(*disk))
    assert_says(refused(done), f"squeezenet in {cache}: No space left on device; free some space")


def test_a_disk_that_runs_full_loses_no_trial(sandbox, tiny_model):
    """The run ends with the reason; when there is room again it goes on with what it had."""
    state = sandbox.state
    twice = f"""
        "$@" > first || echo $? > status
        cp -r {state}/jobs jobs
        mount -o remount,size=64m {state}
        exec "$@"
    """
    prefix = namespace(*small_disk(state, "4m", filled_to=600 * 1024), then=twice)
    done = sandbox.run(tiny_model, "--max-latency", "1us", "--trials", "6", "--json", prefix=prefix)
    first = json.loads((sandbox.home / "first").read_text())
    assert (sandbox.home / "status").read_text() == "2\n"
    assert "free some space" in first["message"] or "its free space" in first["message"]
    (events,) = (sandbox.home / "jobs").glob("*/events.jsonl")
    finished = [line for line in events.read_text().splitlines() if '"phase": "search"' in line]
    finished = [line for line in finished if '"event": "trial_done"' in line]
    assert finished
    assert done.returncode == 3, done
    assert json.loads(done.stdout)["trials"] >= len(finished)


def damage(file, kind):
    """Leave at *file* what is no study, in one of the ways that disks and people have."""
    file.parent.mkdir(exist_ok=True)
    if kind == "random":
        file.write_bytes(np.random.default_rng(0).bytes(65536))
    elif kind == "truncated":
        close_storage(open_storage(f"sqlite:///{file}"))
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif kind == "empty folder":
        file.mkdir()
    else:
        file.write_bytes(b"SQLite format 3\0" + bytes(4080))


@pytest.mark.parametrize("kind", ["random", "truncated", "empty folder", "other database"])
def test_a_damaged_study_of_the_users_is_named(sandbox, tiny_model, tmp_path, kind):
    """It is left as it is, and the message says how to go on."""
    file = tmp_path / "mine.db"
    damage(file, kind)
    before = file.read_bytes() if file.is_file() else None
    line = (tiny_model, *BUDGET, "--json", "--storage", f"sqlite:///{file}")
    message = refused(sandbox.run(*line))
    assert str(file) in message
    assert "damaged" in message or "cannot be opened" in message
    assert before is None or file.read_bytes() == before
    assert not list(sandbox.state.glob("profiles/*"))


@pytest.mark.parametrize(
    ("kind", "line", "status"),
    [
        # A budget out of reach, because a run that ends so ends soon.
        ("random", ("tune", "--max-latency", "1us", *QUICK, *FEW, "16", "--trials", "1"), 3),
        ("truncated", ("measure", "--seconds", "0.1"), 0),
        ("other database", ("measure", "--seconds", "0.1"), 0),
    ],
)
def test_a_damaged_database_of_our_own_is_set_aside(sandbox, tiny_model, kind, line, status):
    """A box goes on without what it knew; the file stays for whoever wants to save something."""
    file = sandbox.state / "studies.db"
    damage(file, kind)
    before = file.read_bytes()
    done = sandbox.run(*line, tiny_model)
    aside = file.with_suffix(".damaged")
    assert done.returncode == status, done.stderr
    assert aside.name in "".join((done.stdout + done.stderr).split())
    assert aside.read_bytes() == before


@pytest.fixture
def damaged_profiles(sandbox):
    """Put profiles in the store that are cut, empty, binary, or of a newer version."""
    folder = sandbox.state / "profiles"
    folder.mkdir(parents=True)
    (folder / "cut.yaml").write_text("schema: 1\nstatus: prov")
    (folder / "empty.yaml").touch()
    (folder / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (folder / "newer.yaml").write_text(yaml.safe_dump({"schema": 99, "everything": "else"}))
    return folder


def test_damaged_profiles_do_not_hide_the_others(sandbox, damaged_profiles):
    """The list names each of them and what to do."""
    done = sandbox.run("profiles", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["profiles"]) == (0, [])
    assert len(document["damaged"]) == 4
    plain = sandbox.run("profiles")
    assert plain.returncode == 0
    assert all(str(path) in plain.stderr for path in damaged_profiles.iterdir())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cut", "cut.yaml is damaged: .*Remove it with `autotune profiles rm"),
        ("empty", "empty.yaml is no profile: .*Remove it with `autotune profiles rm"),
        ("binary", "binary.yaml cannot be read: .*Remove it with `autotune profiles rm"),
        ("newer", "newer.yaml has schema 99 .* install a newer edge-autotune"),
    ],
)
def test_a_damaged_profile_is_refused_and_can_be_removed(sandbox, damaged_profiles, name, message):
    """As the message says."""
    assert_says(refused(sandbox.run("profiles", "show", name, "--json")), message)
    assert_says(refused(sandbox.run("verify", name, "--json")), message)
    assert sandbox.run("profiles", "rm", name).returncode == 0
    assert not (damaged_profiles / f"{name}.yaml").exists()
