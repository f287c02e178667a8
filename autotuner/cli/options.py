"""What can be typed, and how it becomes a request."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import autotuner
from autotuner.cli import daemon_options, instruments, record, selecting, terminal, tune_options
from autotuner.cli.parser import Add, Parser, add_output, add_verbs, with_output
from autotuner.cli.readers import delay, number, positive, read, switch, thread_count, whole
from autotuner.cli.workload_options import add_workload, workload
from autotuner.core.config import BASELINE, Config
from autotuner.core.request import (
    MeasureRequest,
)

VERBS = {
    "tune": "search the fastest configuration within the constraints (the default verb)",
    "measure": "measure one configuration, as a benchmark tool would",
    "verify": "measure a profile again and say whether it still holds",
    "doctor": "say what this machine offers, what is missing and what would mend it",
    "models": "list the reference models",
    "profiles": "list, show, compare or remove the profiles kept on this box",
    **record.HELP,
    **selecting.HELP,
    **instruments.HELP,
    **daemon_options.HELP,
    **terminal.HELP,
    "completion": "print a completion script for your shell",
}
_EXAMPLES = """\
examples:
  autotune --max-latency 50ms                      tune the default reference model
  autotune model.onnx --max-latency 50ms           tune your own
  autotune model.onnx --max-latency 20ms --shape images=3x320x320 --data samples.npz
  autotune measure model.onnx --batch-size 4 --workers 2 --threads 1
  autotune profiles

exit status: 0 found, 2 bad usage or input, 3 nothing keeps the constraints, 130 interrupted
"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options in *arguments*; ``tune`` is understood where no verb is named.

    Raises InputError for bad usage; exits after ``--help`` and ``--version``.
    """
    explicit = bool(arguments) and arguments[0] in {*VERBS, "-h", "--help", "--version"}
    return parser().parse_args(arguments if explicit else ["tune", *arguments])


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    root = Parser(
        prog="autotune",
        description="Find, prove and keep the fastest way to run a neural network on this box.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--version", action="version", version=f"autotune {autotuner.__version__}")
    verbs = root.add_subparsers(dest="verb", required=True, metavar="VERB")
    options: dict[str, Add] = {
        "tune": tune_options.add_tune,
        "measure": _add_measure,
        "verify": _add_verify,
        "doctor": _add_doctor,
        "models": add_output,
        "profiles": _add_profiles,
        **{verb: with_output(add) for verb, add in record.OPTIONS.items()},
        **selecting.OPTIONS,
        **{verb: with_output(add) for verb, add in instruments.OPTIONS.items()},
        **{verb: with_output(add) for verb, add in daemon_options.OPTIONS.items()},
        **{verb: with_output(add) for verb, add in terminal.OPTIONS.items()},
        "completion": _add_completion,
    }
    add_verbs(verbs, options, VERBS)
    # The main job's options stand in `autotune --help` too.
    tune = verbs.choices["tune"]
    root.epilog = f"{_options_of(tune)}\n{_EXAMPLES}"
    return root


def measure_request(options: argparse.Namespace) -> MeasureRequest:
    """Return the request for one measurement that the *options* spell."""
    config = Config(
        batch_size=options.batch_size,
        workers=options.workers,
        intra_op_threads=options.threads,
        affinity=options.affinity,
        provider=options.provider,
        precision=options.precision,
        power_mode=options.power_mode,
        max_queue_delay_ms=options.max_queue_delay,
        mps=options.mps,
        streams=options.streams,
    )
    return MeasureRequest(
        workload=workload(options),
        config=config,
        seconds=options.seconds,
        percentile=options.percentile,
    )


def _add_measure(verb: argparse.ArgumentParser) -> None:
    add_workload(verb)
    verb.add_argument("--batch-size", "--batch-sizes", type=whole, default=BASELINE.batch_size)
    verb.add_argument("--workers", "--worker", type=whole, default=BASELINE.workers)
    verb.add_argument(
        "--threads",
        "--thread",
        type=read(thread_count),
        default=BASELINE.intra_op_threads,
        help="intra-op threads of each worker (default: the runtime's)",
    )
    verb.add_argument("--affinity", "--affinities", default=BASELINE.affinity)
    verb.add_argument("--provider", "--providers", default=BASELINE.provider)
    verb.add_argument("--precision", "--precisions", default=BASELINE.precision)
    verb.add_argument("--power-mode", "--power-modes", default=BASELINE.power_mode)
    verb.add_argument(
        "--mps", type=read(switch), metavar="on|off", help="share an NVIDIA GPU between workers"
    )
    verb.add_argument(
        "--streams",
        "--stream",
        type=whole,
        default=BASELINE.streams,
        help="batches that a worker runs side by side on an NVIDIA GPU (default 1)",
    )
    verb.add_argument(
        "--max-queue-delay",
        "--max-queue-delays",
        type=read(delay),
        metavar="TIME",
        help="how long a request may wait for its batch to fill (scenario server, default 0)",
    )
    verb.add_argument(
        "--seconds", type=positive, default=3.0, help="length of the measuring window (default 3)"
    )
    verb.add_argument("--percentile", type=number, default=99.0, metavar="Q")
    daemon_options.add_detaching(verb)
    add_output(verb)


def _add_profiles(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("action", nargs="?", choices=("list", "show", "diff", "rm"), default="list")
    verb.add_argument("name", nargs="?", help="a profile's name or path, for show, diff and rm")
    verb.add_argument("other", nargs="?", help="the one to compare it with, for diff")
    add_output(verb)


def _add_verify(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", metavar="PROFILE", help="a profile's name or path")
    verb.add_argument(
        "--loadgen",
        action="store_true",
        help="let MLPerf LoadGen judge it too (needs edge-autotune[loadgen])",
    )
    daemon_options.add_detaching(verb)
    add_output(verb)


def _add_doctor(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--selftest",
        action="store_true",
        help="measure in every way that this machine has, and say whether all is as it should be",
    )
    add_output(verb)


def _add_completion(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    add_output(verb)


def _options_of(verb: argparse.ArgumentParser) -> str:
    """Return the part of *verb*'s help that lists its options."""
    _, _, options = verb.format_help().partition("positional arguments:")
    return f"the main job, `autotune [MODEL] --max-latency TIME`:\n{options.lstrip(chr(10))}"
