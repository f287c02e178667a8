"""The process in which MLPerf LoadGen runs; it asks and is answered through a connection.

The only module that knows the package ``mlcommons-loadgen``, which is optional.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from autotuner.bench.loadtest import LoadTest
from autotuner.child import tie_to_parent
from autotuner.core.errors import MachineError

_MIN_S = 5.0
_SAMPLES = 1024


def library() -> Any:
    """Return LoadGen's module; raises MachineError when it is not installed."""
    try:
        import mlperf_loadgen  # noqa: PLC0415 - optional
    except ImportError as error:
        raise MachineError(
            "MLPerf LoadGen is not installed; install edge-autotune[loadgen]."
        ) from error
    return mlperf_loadgen


def serve(connection: Connection) -> None:
    """Run the test that *connection* names; write queries to it, read answers, end with a summary.

    A message out is the time in ns of CLOCK_MONOTONIC with the queries asked then, or the text of
    the summary; a message in lists the queries that are answered.
    """
    loadgen, test = library(), connection.recv()

    def issue(samples: Sequence[Any]) -> None:
        connection.send((time.monotonic_ns(), [sample.id for sample in samples]))

    def complete() -> None:
        response = loadgen.QuerySampleResponse
        while True:
            answered = connection.recv()
            loadgen.QuerySamplesComplete([response(query, 0, 0) for query in answered])

    threading.Thread(target=complete, daemon=True).start()
    sut = loadgen.ConstructSUT(issue, lambda: None)
    qsl = loadgen.ConstructQSL(_SAMPLES, _SAMPLES, lambda _: None, lambda _: None)
    with tempfile.TemporaryDirectory(prefix="autotune-loadgen-") as folder:
        settings, logs = _settings(loadgen, test), _logs(loadgen, folder)
        loadgen.StartTestWithLogSettings(sut, qsl, settings, logs, f"{folder}/none")
        summary = Path(folder, "mlperf_log_summary.txt").read_text(encoding="utf-8")
    connection.send(summary)


def _settings(loadgen: Any, test: LoadTest) -> Any:
    settings = loadgen.TestSettings()
    settings.mode = loadgen.TestMode.PerformanceOnly
    share = test.percentile / 100.0
    if test.target_qps is None:
        settings.scenario = loadgen.TestScenario.SingleStream
        settings.single_stream_target_latency_percentile = share
    else:
        assert test.target_latency_ms is not None, "the scenario Server has a target latency"
        settings.scenario = loadgen.TestScenario.Server
        settings.server_target_qps = test.target_qps
        settings.server_target_latency_ns = int(test.target_latency_ms * 1e6)
        settings.server_target_latency_percentile = share
    settings.min_query_count = test.fewest_queries
    settings.min_duration_ms = int(_MIN_S * 1e3)
    settings.max_duration_ms = int(test.most_s * 1e3)
    return settings


def _logs(loadgen: Any, folder: str) -> Any:
    logs = loadgen.LogSettings()
    logs.log_output.outdir = folder
    logs.log_output.copy_summary_to_stdout = False
    logs.enable_trace = False
    return logs


def main() -> None:
    """Serve the harness on the file descriptor given as first argument, until it ends this."""
    tie_to_parent()
    connection = Connection(int(sys.argv[1]))
    serve(connection)
    # LoadGen's threads may still be about; the harness has the summary and ends us.
    threading.Event().wait()


if __name__ == "__main__":
    main()
