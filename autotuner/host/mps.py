"""CUDA's Multi-Process Service: processes on one GPU run side by side instead of taking turns.

Its control daemon is found by its pipes: whoever shall use it has their folder in the environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from autotuner.core.errors import MachineError
from autotuner.host.power.tool import run

CONTROL = "nvidia-cuda-mps-control"

_PIPES, _LOGS = "CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY"
_USUAL_PIPES = "/tmp/nvidia-mps"  # noqa: S108 - NVIDIA's own choice
_NOBODY = "Cannot find MPS control daemon"
_ASK_S, _TURN_S, _POLL_S = 10.0, 20.0, 0.05
# It ends the daemon when its input does: when we say so, or when this process is killed.
_GUARDIAN = f"cat >/dev/null; echo quit | {CONTROL}"


class MpsError(MachineError):
    """MPS could not be switched on or off."""


def refusal() -> str | None:
    """Return why MPS is not ours to switch here, None where it is."""
    if shutil.which(CONTROL) is None:
        return f"{CONTROL} is not installed"
    if _runs(os.environ):
        pipes = os.environ.get(_PIPES, _USUAL_PIPES)
        return f"MPS already runs for somebody else (its pipes are in {pipes}) and is left as it is"
    return None


class Mps:
    """An MPS daemon of our own with its pipes in *folder*; a context manager that ends it.

    The folder is made before the daemon is started and removed after it has ended, so that
    :func:`recover` finds what was left. A guardian process ends the daemon when this one is killed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guardian: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Mps:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.use(on=False)

    @property
    def on(self) -> bool:
        """Whether our daemon runs."""
        return self._guardian is not None

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of a process that starts now, to use the daemon or to use none."""
        return _environment(self._folder) if self.on else os.environ

    def use(self, *, on: bool) -> None:
        """Start the daemon or end it, unless that is done; whoever uses it must have ended.

        Raises MpsError when it is not ours to start or does not start, and then there is none, and
        when it does not end.
        """
        if on and self._guardian is None:
            self._start()
        elif not on and self._guardian is not None:
            guardian, self._guardian = self._guardian, None
            _dismiss(guardian)
            _end(self._folder)

    def _start(self) -> None:
        if why := refusal():
            raise MpsError(f"MPS cannot be switched on: {why}; leave it out with --mps off.")
        environment = _environment(self._folder)
        for name in (_PIPES, _LOGS):
            Path(environment[name]).mkdir(mode=0o700, parents=True, exist_ok=True)
        guardian = subprocess.Popen(
            ["sh", "-c", _GUARDIAN],  # noqa: S607 - the shell that there is
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # what ends this process' group must not end its guardian
        )
        said = run([CONTROL, "-d"], _ASK_S, environment=environment).said
        if not _comes_to_run(environment):
            _dismiss(guardian)
            _end(self._folder)
            raise MpsError(
                f"MPS does not start here: {said or 'its daemon does not answer'}; leave it out "
                "with --mps off."
            )
        self._guardian = guardian


@contextmanager
def shared() -> Iterator[Mapping[str, str]]:
    """Have a daemon while the block runs; yield the environment of those who shall use it.

    Where one runs for somebody else, that is used and left running. Raises MpsError where there is
    none and ours does not start.
    """
    if _runs(os.environ):
        yield os.environ
        return
    with (
        tempfile.TemporaryDirectory(prefix="autotune-mps-") as folder,
        Mps(Path(folder, "daemon")) as ours,
    ):
        ours.use(on=True)
        yield ours.environment


def recover(folder: Path) -> tuple[str, ...]:
    """End the daemon that a killed process left in *folder*; return what is to be said about it.

    Raises MpsError when it does not end.
    """
    if not folder.is_dir():
        return ()
    left = _runs(_environment(folder))
    _end(folder)
    return ("The MPS daemon that a killed run had left is ended.",) if left else ()


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, _PIPES: str(folder / "pipes"), _LOGS: str(folder / "logs")}


def _end(folder: Path) -> None:
    """End the daemon with its pipes in *folder*, if there is one, and remove the folder."""
    environment = _environment(folder)
    if _runs(environment):
        _ask("quit", environment)
        if not _comes_to_run(environment, wanted=False):
            raise MpsError(
                f"The MPS daemon that was started here does not end; end it with "
                f"`echo quit | {_PIPES}={environment[_PIPES]} {CONTROL}`."
            )
    shutil.rmtree(folder, ignore_errors=True)


def _comes_to_run(environment: Mapping[str, str], *, wanted: bool = True) -> bool:
    """Wait until a daemon answers, or none if that is *wanted*; say whether it came so."""
    deadline = time.monotonic() + _TURN_S
    while _runs(environment) is not wanted:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _runs(environment: Mapping[str, str]) -> bool:
    """Say whether a daemon answers; one that lets only others ask counts too."""
    if shutil.which(CONTROL) is None:
        return False
    return _NOBODY not in _ask("get_server_list", environment)


def _ask(command: str, environment: Mapping[str, str]) -> str:
    return run([CONTROL], _ASK_S, told=f"{command}\n", environment=environment).said


def _dismiss(guardian: subprocess.Popen[bytes]) -> None:
    """Let the guardian end the daemon and wait until it has."""
    assert guardian.stdin is not None
    guardian.stdin.close()
    try:
        guardian.wait(timeout=_TURN_S)
    except subprocess.TimeoutExpired:
        guardian.kill()
        guardian.wait()
