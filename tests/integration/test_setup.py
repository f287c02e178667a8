"""The set-up script with stand-ins for Python, the machine and its driver on PATH."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "setup.sh"

# Behaves as the interpreter of the machine and of the environment, and writes down its calls.
PYTHON = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
*'version_info[:2]'*) echo "$VERSION" ;;
*'version_info <'*) [ "$VERSION" != 3.9 ] ;;
*'import ensurepip'*) [ -z "${NO_VENV-}" ] ;;
*'import onnxruntime'*) [ -n "${ONNXRUNTIME-}" ] ;;
*'import tensorrt'*) [ -n "${TENSORRT-}" ] ;;
esac
"""


@pytest.fixture
def machine(tmp_path):
    """Run a step of the script on a machine of the given kind; return the result and the calls."""

    def run(step, *, machine="x86_64", driver=None, python="python3", **facts):
        tools = tmp_path / "tools"
        tools.mkdir()
        for tool in ("sh", "head"):
            (tools / tool).symlink_to(shutil.which(tool))
        _program(tools / "uname", f"#!/bin/sh\necho {machine}\n")
        _program(tools / "python3", PYTHON)
        _program(tmp_path / "venv" / "bin" / "python", PYTHON)
        if driver is not None:
            _program(tools / "nvidia-smi", f"#!/bin/sh\n{driver}\n")
        calls = tmp_path / "calls"
        calls.touch()
        environment = {"PATH": str(tools), "CALLS": str(calls), "VERSION": "3.11", **facts}
        done = subprocess.run(
            ["/bin/sh", SCRIPT, step, "venv", python],
            check=False,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        return done, calls.read_text().splitlines()

    return run


def _program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("facts", "requirements", "why"),
    [
        ({}, ".[cpu]", "no NVIDIA driver"),
        ({"driver": "echo 595.58.03"}, ".[gpu]", "driver 595.58.03 runs CUDA 13"),
        ({"driver": "echo 580.65.06; echo 580.65.06"}, ".[gpu]", "driver 580.65.06 runs CUDA 13"),
        ({"driver": "echo 535.183.01"}, ".[gpu] onnxruntime-gpu<1.27", "535.183.01 runs CUDA 12"),
        ({"driver": "echo 470.256.02"}, ".[cpu]", "470.256.02 is too old"),
        ({"driver": "echo 'NVIDIA-SMI has failed.'; exit 9"}, ".[cpu]", "no NVIDIA driver"),
        ({"machine": "aarch64"}, ".[cpu]", "no ONNX Runtime"),
        ({"machine": "aarch64", "ONNXRUNTIME": "yes"}, ".", "that the system's Python offers"),
        ({"machine": "aarch64", "TENSORRT": "yes"}, ".[cpu]", "no ONNX Runtime"),
        ({"machine": "aarch64", "driver": "echo 580.65.06"}, ".[cpu]", "no ONNX Runtime"),
        ({"machine": "riscv64"}, ".[cpu]", "riscv64"),
    ],
)
def test_the_runtime_fits_the_machine_and_the_reason_is_said(machine, facts, requirements, why):
    """The set-up installs the runtime that this machine can use and says why in one line."""
    done, calls = machine("package", **facts)
    assert done.returncode == 0, done.stderr
    assert calls[-1].endswith(f"--editable {requirements}")
    (line,) = done.stdout.splitlines()
    assert why in line


@pytest.mark.parametrize(
    ("facts", "sees_system"),
    [
        ({}, False),
        ({"ONNXRUNTIME": "yes"}, False),
        ({"machine": "aarch64"}, False),
        ({"machine": "aarch64", "ONNXRUNTIME": "yes"}, True),
        ({"machine": "aarch64", "TENSORRT": "yes"}, True),
    ],
)
def test_the_environment_sees_the_packages_of_jetpack_only(machine, facts, sees_system):
    """System packages are let in only where they hold a runtime that no index has."""
    done, calls = machine("venv", **facts)
    assert done.returncode == 0, done.stderr
    options = " --system-site-packages" if sees_system else ""
    assert calls[-1] == f"-m venv --clear{options} venv"


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"python": "python3.99"},
            "python3.99 is not installed; run: sudo apt-get install python3 python3-venv",
        ),
        (
            {"VERSION": "3.9"},
            (
                "Python 3.10 or newer is needed and python3 is 3.9; run: "
                "sudo apt-get install python3 python3-venv, then make PYTHON=/usr/bin/python3"
            ),
        ),
        (
            {"NO_VENV": "yes"},
            "Python 3.11 has no venv module; run: sudo apt-get install python3.11-venv",
        ),
    ],
)
def test_a_missing_prerequisite_is_named(machine, facts, message):
    """What is missing is said in one line with what to type, before anything is made."""
    done, calls = machine("venv", **facts)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [message]
    assert not any("-m venv" in call for call in calls)
