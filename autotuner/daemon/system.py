"""The box's own daemon, as the service manager runs it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import socket
from datetime import datetime
from pathlib import Path

from autotuner import active, locations
from autotuner.core.errors import AutotunerError, StateError
from autotuner.core.window import is_open
from autotuner.daemon import metrics
from autotuner.daemon.access import LEVELS, GroupAccess
from autotuner.daemon.keeper import Keeper
from autotuner.daemon.methods import Daemon
from autotuner.daemon.notify import notify, passed_socket, watchdog_s
from autotuner.daemon.process import ChildLauncher
from autotuner.daemon.queue import JobQueue
from autotuner.daemon.server import Server
from autotuner.daemon.shelf import Shelf
from autotuner.daemon.units import UnitLauncher
from autotuner.host import occupancy
from autotuner.settings import Settings, TuningSettings
from autotuner.settings import read as read_settings

_LOG = logging.getLogger(__name__)
_BEAT_S = 5.0
_FEEDS_PER_TIMEOUT = 4


def serve_box(*, job_units: bool, metrics_at: str | None = None) -> None:
    """Serve until SIGTERM; with *job_units* jobs run in services of their own.

    *metrics_at* is where Prometheus is answered, such as ``127.0.0.1:9464``.

    Raises StateError when another daemon has the state folder, InputError for a configuration that
    makes no sense.
    """
    state = locations.make_folder(locations.state_dir())
    settings = read_settings(locations.config_file())
    where = metrics.address(metrics_at) if metrics_at else None
    with (state / "daemon.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateError(f"Another daemon keeps its state in {state}; end one of them.") from (
                error
            )
        with passed_socket() or _own_socket(locations.system_socket()) as listening:
            asyncio.run(_serve(state, settings, listening, job_units=job_units, where=where))
    notify("STOPPING=1")


async def _serve(
    state: Path,
    settings: Settings,
    listening: socket.socket,
    *,
    job_units: bool,
    where: tuple[str, int] | None,
) -> None:
    runtime = locations.system_socket().parent
    limits = settings.limits
    queue = JobQueue(
        state / "jobs",
        UnitLauncher(runtime / "jobs") if job_units else ChildLauncher(),
        hold=False,
        most_queued=limits.queued_jobs,
        most_kept=limits.kept_jobs,
    )
    applied = active.on_this_box()
    keeper = Keeper(
        settings=settings,
        queue=queue,
        active=applied,
        path=state / "kept.json",
        may_work=lambda: _reasons_to_wait(settings.tuning, queue),
    )
    daemon = Daemon(
        queue=queue,
        shelf=Shelf(state / "profiles"),
        active=applied,
        state=state,
        system=True,
        kept=keeper.summary,
    )
    access = GroupAccess(
        granted={level: getattr(settings.access, level) for level in LEVELS},
    )
    server = Server(daemon, access)
    with contextlib.ExitStack() as life:
        if where is not None:
            loop = asyncio.get_running_loop()
            life.callback(metrics.serve(where, server.snapshot, loop))
        notify("READY=1")
        await server.serve(listening, until=lambda: _beat(queue, keeper))


async def _beat(queue: JobQueue, keeper: Keeper) -> None:
    """Tell the service manager for ever that the loop turns and what it does; keep models tuned."""
    timeout_s = watchdog_s()
    pause_s = timeout_s / _FEEDS_PER_TIMEOUT if timeout_s else _BEAT_S
    while True:
        try:
            keeper.look()
        except (AutotunerError, OSError) as error:  # a full disk must not end the daemon
            _LOG.warning("The kept models were not looked after: %s", error)
        running = queue.running
        doing = f"Job {running.id} runs" if running else "Idle"
        waiting = sum(job.state == "queued" for job in queue)
        notify("WATCHDOG=1", f"STATUS={doing}; {waiting} in the queue.")
        await asyncio.sleep(pause_s)


def _reasons_to_wait(tuning: TuningSettings, queue: JobQueue) -> tuple[str, ...]:
    """Return why nothing may be tuned unattended now; our own job is no reason."""
    if not is_open(tuning.hours, datetime.now().astimezone()):
        return ("it is outside the windows",)
    return occupancy.reasons_to_wait(
        max_load=tuning.max_load if queue.running is None else None,
        mains_power=tuning.mains_power,
        max_temperature_c=tuning.max_temperature if queue.running is None else None,
    )


def _own_socket(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    path.chmod(0o660)
    return listening
