"""What Prometheus reads: readings of the host, jobs, trials, the profile in force, drift."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.core.errors import InputError, MachineError

_ANSWER_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How everything stands at one moment; *trial* is the last event of a trial of the job."""

    status: Mapping[str, Any]
    jobs: Sequence[Mapping[str, Any]]
    trial: Mapping[str, Any] | None
    readings: Sequence[tuple[str, float, str]]


def address(text: str) -> tuple[str, int]:
    """Read ``127.0.0.1:9464``; raises InputError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError(f"{text!r} is no address; write it like 127.0.0.1:9464.")
    return host.strip("[]"), int(port)


def serve(
    where: tuple[str, int],
    take: Callable[[], Awaitable[Snapshot]],
    loop: asyncio.AbstractEventLoop,
) -> Callable[[], None]:
    """Answer Prometheus at *where* from a thread, with what *take* says in *loop*.

    Return what ends it. Raises MachineError when the library is missing or the address is taken.
    """
    try:
        from prometheus_client import start_http_server  # noqa: PLC0415 - optional
        from prometheus_client.registry import Collector, CollectorRegistry  # noqa: PLC0415
    except ImportError as error:
        raise MachineError(
            "Metrics need prometheus-client; install edge-autotune[metrics]."
        ) from error

    class Snapshots(Collector):
        def collect(self) -> Iterable[Any]:
            answer = asyncio.run_coroutine_threadsafe(_awaited(take), loop)
            return families(answer.result(_ANSWER_S))

        def describe(self) -> Iterable[Any]:
            return ()  # so that registering does not collect

    registry = CollectorRegistry()
    registry.register(Snapshots())
    host, port = where
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise MachineError(
            f"{host}:{port} cannot be listened on: {error.strerror}; choose another --metrics."
        ) from error

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end


def families(snapshot: Snapshot) -> Iterator[Any]:
    """Yield *snapshot* as Prometheus has it; what is not known is left out, never 0."""
    from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily  # noqa: PLC0415

    status = snapshot.status
    yield InfoMetricFamily("autotuner", "This daemon.", value={"version": status["version"]})
    states = GaugeMetricFamily("autotuner_jobs", "Jobs by their state.", labels=["state"])
    for state in ("queued", "running", "paused", "ended"):
        states.add_metric([state], sum(job["state"] == state for job in snapshot.jobs))
    yield states
    if snapshot.trial is not None:
        trials = snapshot.trial.get("trials", 0)
        yield GaugeMetricFamily("autotuner_job_trials", "Trials of the running job.", value=trials)
        best = (snapshot.trial.get("best") or {}).get("measurement", {})
        for name in ("throughput_ips", "p99_ms", "power_w", "memory_mib"):
            if name in best:
                what = f"The {name} of the best configuration so far."
                yield GaugeMetricFamily(f"autotuner_job_best_{name}", what, value=best[name])
    applied = GaugeMetricFamily(
        "autotuner_applied_verified",
        "1 when the profile in force is as it was applied, 0 when something is otherwise.",
        labels=["profile", "model", "power_mode"],
    )
    if (now := status["applied"]) is not None:
        applied.add_metric([now["profile"], now["model"], now["power_mode"]], now["verified"])
    yield applied
    kept = GaugeMetricFamily(
        "autotuner_kept_fresh",
        "1 when the profile of a model that is kept tuned held at its last check.",
        labels=["model", "state"],
    )
    for standing in status["kept"]:
        state = standing.get("state", "missing")
        kept.add_metric([standing["model"], state], state == "kept")
    yield kept
    readings = GaugeMetricFamily("autotuner_reading", "Sensors.", labels=["name", "unit"])
    for name, value, unit in snapshot.readings:
        readings.add_metric([name, unit], value)
    yield readings


async def _awaited(take: Callable[[], Awaitable[Snapshot]]) -> Snapshot:
    return await take()
