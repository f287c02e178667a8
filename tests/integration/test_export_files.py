from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from google.protobuf import text_format
from made_profiles import proven
from tritonclient.grpc import model_config_pb2

from autotuner import cli, store
from autotuner.core.config import Config
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.outcome import Measurement
from autotuner.core.profile import Evidence

AWKWARD = "/models/a \"quoted\" $HOME `id` \\ 'net' #1 模型.onnx"


@pytest.fixture
def profile(tiny_model):
    """Return the profile of the tiny model."""
    return proven(
        tiny_model,
        throughput_ips=120.5,
        baseline=Evidence(config=Config(), measurement=Measurement(throughput_ips=60.0)),
        fingerprint=Fingerprint(model_sha256="ab", shapes={"x": (3, 16, 16)}),
    )


@pytest.fixture
def exported(tmp_path, monkeypatch, capsys):
    """Export a profile into a folder by the command line; return status, folder and output."""
    monkeypatch.setenv("AUTOTUNE_STATE_DIR", str(tmp_path / "state"))
    folder = tmp_path / "out"

    def export(profile, target, *options):
        path = store.ProfileStore(tmp_path / "state" / "profiles").save(profile)
        status = cli.run(["export", path.stem, "--to", target, "--out", str(folder), *options])
        return status, folder, capsys.readouterr()

    return export


def test_triton_parses_what_the_command_writes(exported, profile):
    """The file on disk is a model configuration of Triton's own protobuf."""
    status, folder, _ = exported(profile, "triton")
    text = (folder / "config.pbtxt").read_text()
    config = text_format.Parse(text, model_config_pb2.ModelConfig())
    assert status == 0
    assert (config.max_batch_size, config.instance_group[0].count) == (4, 2)


def test_the_session_code_opens_the_model_and_runs_it(exported, profile):
    """In a Python of its own, without this package."""
    _, folder, _ = exported(profile, "ort")
    code = (
        "import numpy as np, ort_session as tuned\n"
        "session = tuned.open_session()\n"
        "x = np.zeros((tuned.BATCH_SIZE, 3, 16, 16), np.float32)\n"
        "print(session.run(None, {'x': x})[0].shape, session.get_providers())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout == "(4, 10) ['CPUExecutionProvider']\n"
    assert json.loads((folder / "ort_session.json").read_text())["batch_size"] == 4


def test_the_openvino_code_compiles_the_model_and_runs_it(exported, profile, monkeypatch):
    """With the properties that the compiled model then reports."""
    config = replace(profile.winner.config, provider="openvino-cpu", precision="fp32")
    winner = replace(profile.winner, config=config)
    _, folder, _ = exported(replace(profile, winner=winner), "openvino")
    monkeypatch.syspath_prepend(folder)
    openvino_model = importlib.import_module("openvino_model")

    compiled = openvino_model.compile_model()
    assert compiled.get_property("NUM_STREAMS") == 1
    assert compiled.get_property("INFERENCE_NUM_THREADS") == 1
    (output,) = compiled({"x": np.zeros((4, 3, 16, 16), np.float32)}).values()
    assert output.shape == (4, 10)


def test_a_shell_reads_the_environment_as_it_was(exported, profile):
    """Quotes, dollars, backticks and backslashes in a path come through; nothing is run."""
    awkward = replace(profile, model=replace(profile.model, path=AWKWARD))
    _, folder, _ = exported(awkward, "env")
    script = '. ./autotune.env; printf "%s\\n" "$AUTOTUNE_MODEL" "$AUTOTUNE_BATCH_SIZE"'
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=folder,
        env={"PATH": os.defpath, "HOME": "/"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == f"{AWKWARD}\n4\n"


def test_what_is_there_is_not_written_over(exported, profile):
    """Unless the user insists."""
    _, folder, _ = exported(profile, "env")
    (folder / "autotune.env").write_text("mine")
    status, _, output = exported(profile, "env")
    assert status == 2
    assert "is there already; write over it with --force" in output.err
    assert (folder / "autotune.env").read_text() == "mine"
    status, _, _ = exported(profile, "env", "--force")
    assert status == 0
    assert "AUTOTUNE_BATCH_SIZE" in (folder / "autotune.env").read_text()


def test_a_profile_that_proves_nothing_is_refused_unless_forced(exported, profile):
    """Nothing is written; forced, the reason is a warning and stands in the file."""
    interrupted = replace(profile, status="interrupted")
    status, folder, output = exported(interrupted, "triton")
    assert status == 2
    assert not folder.exists()
    assert "not fit for use: it is interrupted" in output.err
    status, _, output = exported(interrupted, "triton", "--force", "--json")
    assert status == 0
    document = json.loads(output.out)
    assert document["files"] == [str(folder / "config.pbtxt")]
    assert document["warnings"][0].startswith("it is interrupted")
    assert "# Measured (interrupted)" in (folder / "config.pbtxt").read_text()


def test_a_folder_that_cannot_be_made_is_named(exported, profile, tmp_path):
    """A file may lie where the folder should be."""
    (tmp_path / "out").touch()
    status, _, output = exported(profile, "env")
    assert status == 2
    assert "cannot be written" in output.err
