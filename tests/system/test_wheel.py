import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest
import yaml
from sandbox import FEW, QUICK

REPOSITORY = Path(__file__).parents[2]
FIND_SCHEMA = """
from autotuner.data import resource
schema = resource("profiles", "profile.schema.json")
print(schema)
print(schema.read_text())
"""


@dataclass(frozen=True)
class Installed:
    """A virtual environment of its own and a folder for all that the program keeps."""

    prefix: Path
    home: Path

    def run(self, program, *arguments):
        """Run *program* of the environment, outside the repository, and return what it did."""
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "AUTOTUNE_"))},
            "AUTOTUNE_STATE_DIR": str(self.home / "state"),
            "AUTOTUNE_CACHE_DIR": str(self.home / "cache"),
            "AUTOTUNE_LOCK": str(self.home / "lock"),
        }
        return subprocess.run(
            [self.prefix / "bin" / program, *arguments],
            check=False,
            cwd=self.home,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
        )


def _install(folder, *requirements):
    """Install *requirements* into a fresh environment in *folder*."""
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    subprocess.run([*pip, *requirements], check=True, cwd=REPOSITORY)
    (folder / "home").mkdir()
    return Installed(prefix=folder / "venv", home=folder / "home")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a fresh environment with nothing but the wheel of this tree and the CPU runtime."""
    dist = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", dist]
    subprocess.run(build, check=True, cwd=REPOSITORY, stdout=subprocess.PIPE)
    (wheel,) = dist.glob("edge_autotune-*.whl")
    return _install(tmp_path_factory.mktemp("wheel"), f"{wheel}[cpu]")


def test_the_wheel_holds_its_data(installed):
    """Files that the program reads come with the wheel, whole."""
    found = installed.run("python", "-c", FIND_SCHEMA)
    path, _, text = found.stdout.partition("\n")
    assert path.endswith("autotuner/_data/profiles/profile.schema.json"), found.stderr
    assert str(installed.prefix) in path
    assert text.strip() == _schema_text().strip()


def test_an_editable_install_reads_the_data_of_the_tree(tmp_path):
    """A developer's installation shows a change of the data files at once."""
    installed = _install(tmp_path, "--no-deps", "--editable", REPOSITORY)
    found = installed.run("python", "-c", FIND_SCHEMA)
    path, _, text = found.stdout.partition("\n")
    assert Path(path) == REPOSITORY / "profiles" / "profile.schema.json", found.stderr
    assert text.strip() == _schema_text().strip()


def test_the_wheel_carries_the_licence(installed):
    """Whoever gets the wheel gets the terms with it."""
    assert list(installed.prefix.glob("lib/*/site-packages/edge_autotune-*/licenses/LICENSE"))


def test_the_wheel_brings_no_other_top_level_package(installed):
    """Tests, benchmarks and documents do not land in somebody's site-packages."""
    record = next(installed.prefix.glob("lib/*/site-packages/edge_autotune-*/RECORD"))
    tops = {line.partition("/")[0] for line in record.read_text().splitlines()}
    assert {top for top in tops if not top.startswith("edge_autotune-")} == {
        "..",  # bin/autotune
        "autotuner",
        "tui",
    }


def test_the_installed_command_explains_itself(installed):
    """The command is on the path of the environment, with help and version."""
    usage = installed.run("autotune", "--help")
    assert usage.returncode == 0, usage.stderr
    assert "--max-latency" in usage.stdout


def test_the_installed_command_lists_the_reference_models(installed):
    """The reference models come with the installation."""
    models = installed.run("autotune", "models")
    assert models.returncode == 0, models.stderr
    assert "squeezenet" in models.stdout


def test_the_installed_command_does_the_main_job(installed, trivial_model):
    """A wheel alone tunes a model within a latency budget and keeps a valid profile."""
    run = installed.run(
        "autotune",
        *("--max-latency", "1s", *QUICK),  # provable on a busy machine too
        *(*FEW, "1,16", "--trials", "2"),
        "--json",
        str(trivial_model),
    )
    assert run.returncode == 0, run.stderr + run.stdout
    document = json.loads(run.stdout)
    assert document["status"] == "ok"
    assert document["measurement"]["latency_ms"]["p50"] <= 1000
    profile = yaml.safe_load(Path(document["profile"]).read_text())
    jsonschema.Draft202012Validator(json.loads(_schema_text())).validate(profile)
    assert Path(document["profile"]).is_relative_to(installed.home / "state")


def _schema_text():
    return (REPOSITORY / "profiles" / "profile.schema.json").read_text()
