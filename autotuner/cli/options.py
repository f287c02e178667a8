"""What can be typed, and how it becomes a request."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, get_args

import autotuner
from autotuner.core import quantity
from autotuner.core.config import BASELINE, Config
from autotuner.core.errors import InputError
from autotuner.core.request import (
    DEFAULT_SEARCH_SECONDS,
    MeasureRequest,
    Scenario,
    TuneRequest,
    Workload,
)
from autotuner.core.space import Value

VERBS = {
    "tune": "search the fastest configuration within the constraints (the default verb)",
    "measure": "measure one configuration, as a benchmark tool would",
    "verify": "measure a profile again and say whether it still holds",
    "models": "list the reference models",
    "profiles": "list, show or remove the profiles kept on this box",
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


class _Parser(argparse.ArgumentParser):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # What begins like a negative number is a value with or without a unit, never an option.
        self._negative_number_matcher = re.compile(r"-[0-9.]")

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[0].upper()}{message[1:]}; see `{self.prog} --help`.")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options in *arguments*; ``tune`` is understood where no verb is named.

    Raises InputError for bad usage; exits after ``--help`` and ``--version``.
    """
    explicit = bool(arguments) and arguments[0] in {*VERBS, "-h", "--help", "--version"}
    return parser().parse_args(arguments if explicit else ["tune", *arguments])


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    root = _Parser(
        prog="autotune",
        description="Find, prove and keep the fastest way to run a neural network on this box.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    root.add_argument("--version", action="version", version=f"autotune {autotuner.__version__}")
    verbs = root.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, add in (
        ("tune", _add_tune),
        ("measure", _add_measure),
        ("verify", _add_verify),
        ("models", _add_output),
        ("profiles", _add_profiles),
        ("completion", _add_completion),
    ):
        # The main job's options stand in `autotune --help` too.
        add(
            verbs.add_parser(
                verb, help=VERBS[verb], description=_sentence(VERBS[verb]), allow_abbrev=False
            )
        )
    tune = verbs.choices["tune"]
    root.epilog = f"{_options_of(tune)}\n{_EXAMPLES}"
    return root


def tune_request(options: argparse.Namespace) -> TuneRequest:
    """Return the tuning request that the *options* spell."""
    chosen = {
        "batch_size": options.batch_sizes,
        "workers": options.workers,
        "intra_op_threads": options.threads,
        "affinity": options.affinity,
        "provider": options.providers,
        "max_queue_delay_ms": options.max_queue_delays,
    }
    return TuneRequest(
        workload=_workload(options),
        goal=options.objective,
        max_latency_ms=options.max_latency,
        percentile=options.percentile,
        min_throughput_ips=options.min_throughput,
        max_memory_mib=options.max_memory,
        confidence=options.confidence,
        max_trials=options.trials,
        max_seconds=options.time,
        first=options.first,
        dimensions={name: values for name, values in chosen.items() if values is not None},
        sampler=options.sampler,
        storage=options.storage,
        fresh=options.fresh,
        pareto=options.pareto,
        out=str(Path(options.out).absolute()) if options.out else None,
        dry_run=options.dry_run,
    )


def measure_request(options: argparse.Namespace) -> MeasureRequest:
    """Return the request for one measurement that the *options* spell."""
    config = Config(
        batch_size=options.batch_size,
        workers=options.workers,
        intra_op_threads=options.threads,
        affinity=options.affinity,
        provider=options.provider,
        max_queue_delay_ms=options.max_queue_delay,
    )
    return MeasureRequest(
        workload=_workload(options),
        config=config,
        seconds=options.seconds,
        percentile=options.percentile,
    )


def _workload(options: argparse.Namespace) -> Workload:
    return Workload(
        model=_model(options.model),
        shapes=tuple(options.shape),
        data=str(Path(options.data).absolute()) if options.data else None,
        seed=options.seed,
        scenario=options.scenario,
        rate_ips=options.rate,
    )


def _model(text: str | None) -> str | None:
    """Return a path as an absolute one, for the daemon has a folder of its own; a name as it is."""
    if text is None:
        return None
    looks_like_path = "/" in text or text.endswith(".onnx") or Path(text).exists()
    return str(Path(text).absolute()) if looks_like_path else text


def _add_tune(verb: argparse.ArgumentParser) -> None:
    _add_workload(verb)
    goal = verb.add_argument_group("what is wanted")
    goal.add_argument(
        "--max-latency",
        type=_read(quantity.milliseconds),
        metavar="TIME",
        help="latency budget of a batch (of a request with --scenario server): 500us, 50ms, 0.05s",
    )
    goal.add_argument(
        "--percentile",
        type=_number,
        default=99.0,
        metavar="Q",
        help="the percentile of the latency that must keep the budget (default 99)",
    )
    goal.add_argument(
        "--objective",
        choices=("throughput", "latency"),
        default="throughput",
        help="maximise throughput (default) or minimise that latency",
    )
    goal.add_argument(
        "--min-throughput", type=_positive, metavar="IPS", help="at least so many inferences/s"
    )
    goal.add_argument(
        "--max-memory",
        type=_read(quantity.mebibytes),
        metavar="SIZE",
        help="peak memory of all workers together: 512MiB, 4GiB",
    )
    goal.add_argument(
        "--confidence",
        type=_number,
        default=0.95,
        metavar="P",
        help="with which the budget must be proven (default 0.95)",
    )
    space = verb.add_argument_group(
        "the search space: a value pins a dimension, a list 1,2,4 or a range 1..32 narrows it"
    )
    space.add_argument("--batch-sizes", "--batch-size", type=_read(quantity.integers), metavar="N")
    space.add_argument("--workers", "--worker", type=_read(quantity.integers), metavar="N")
    space.add_argument(
        "--threads",
        "--thread",
        type=_read(_threads),
        metavar="N",
        help="intra-op threads of each worker; `default` leaves them to the runtime",
    )
    space.add_argument(
        "--affinity",
        "--affinities",
        type=_read(quantity.words),
        metavar="A",
        help="none, compact, spread",
    )
    space.add_argument("--providers", "--provider", type=_read(quantity.words), metavar="P")
    space.add_argument(
        "--max-queue-delays",
        "--max-queue-delay",
        type=_read(_delays),
        metavar="TIME",
        help="how long a request may wait for its batch to fill: 0,2ms,5ms (scenario server)",
    )
    search = verb.add_argument_group("the search")
    search.add_argument("--trials", type=_whole, metavar="N", help="at most so many trials")
    search.add_argument(
        "--time",
        type=_read(quantity.seconds),
        default=DEFAULT_SEARCH_SECONDS,
        metavar="TIME",
        help=f"time for the search, the final proof comes on top "
        f"(default {DEFAULT_SEARCH_SECONDS:g}s)",
    )
    search.add_argument(
        "--first",
        action="store_true",
        help="stop at the first configuration that is proven within the constraints",
    )
    search.add_argument("--sampler", choices=("auto", "tpe", "gp", "random"), default="auto")
    search.add_argument(
        "--storage",
        metavar="URL",
        help="where trials are kept (default SQLite in the state folder); equal boxes share their "
        "work at one postgresql://...",
    )
    search.add_argument("--fresh", action="store_true", help="ignore what earlier runs measured")
    search.add_argument(
        "--pareto",
        action="store_true",
        help="keep the front of throughput against latency in the profile",
    )
    search.add_argument("--dry-run", action="store_true", help="print the search space and stop")
    _add_output(verb)
    verb.add_argument("--out", metavar="DIR", help="put an extra copy of the profile there")
    verb.add_argument("--plain", action="store_true", help="line mode, also on a terminal")


def _add_measure(verb: argparse.ArgumentParser) -> None:
    _add_workload(verb)
    verb.add_argument("--batch-size", "--batch-sizes", type=_whole, default=BASELINE.batch_size)
    verb.add_argument("--workers", "--worker", type=_whole, default=BASELINE.workers)
    verb.add_argument(
        "--threads",
        "--thread",
        type=_read(_thread_count),
        default=BASELINE.intra_op_threads,
        help="intra-op threads of each worker (default: the runtime's)",
    )
    verb.add_argument("--affinity", "--affinities", default=BASELINE.affinity)
    verb.add_argument("--provider", "--providers", default=BASELINE.provider)
    verb.add_argument(
        "--max-queue-delay",
        "--max-queue-delays",
        type=_read(_delay),
        metavar="TIME",
        help="how long a request may wait for its batch to fill (scenario server, default 0)",
    )
    verb.add_argument(
        "--seconds", type=_positive, default=3.0, help="length of the measuring window (default 3)"
    )
    verb.add_argument("--percentile", type=_number, default=99.0, metavar="Q")
    _add_output(verb)


def _add_profiles(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("action", nargs="?", choices=("list", "show", "rm"), default="list")
    verb.add_argument("name", nargs="?", help="a profile's name or path, for show and rm")
    _add_output(verb)


def _add_verify(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", metavar="PROFILE", help="a profile's name or path")
    verb.add_argument(
        "--loadgen",
        action="store_true",
        help="let MLPerf LoadGen judge it too (needs edge-autotune[loadgen])",
    )
    _add_output(verb)


def _add_completion(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    _add_output(verb)


def _add_workload(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "model", nargs="?", metavar="MODEL", help="an ONNX file or the name of a reference model"
    )
    inputs = verb.add_argument_group("the model's input")
    inputs.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="NAME=3x320x320",
        help="shape of one sample of an input; once for each input that leaves it open",
    )
    inputs.add_argument("--data", metavar="FILE", help="real inputs by name, .npz or .npy")
    inputs.add_argument("--seed", type=int, default=0, help="of random inputs and of the search")
    load = verb.add_argument_group("how load arrives")
    load.add_argument(
        "--scenario",
        choices=get_args(Scenario),
        default=Workload().scenario,
        help="batches back to back (multistream, the default), one at a time (singlestream), "
        "requests at random moments (server), or all at once (offline)",
    )
    load.add_argument(
        "--rate",
        type=_positive,
        metavar="IPS",
        help="requests/s in the scenario server; `tune` finds the highest when none is given",
    )


def _add_output(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--json", action="store_true", help="print one JSON document; all else goes to stderr"
    )
    verb.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _read(reader: Callable[[str], Any]) -> Callable[[str], Any]:
    """Let argparse pass on the message of an InputError instead of its own."""

    def read(text: str) -> Any:
        try:
            return reader(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None

    return read


def _threads(text: str) -> tuple[Value, ...]:
    numbers = tuple(part for part in text.split(",") if part.strip() != "default")
    found: tuple[Value, ...] = quantity.integers(",".join(numbers)) if numbers else ()
    return found if len(numbers) == len(text.split(",")) else (*found, None)


def _thread_count(text: str) -> Value:
    values = _threads(text)
    if len(values) > 1:
        raise InputError(f"{text!r} must be one number, or `default`.")
    return values[0]


def _delay(text: str) -> float:
    return 0.0 if text.strip() in {"0", "0ms"} else quantity.milliseconds(text)


def _delays(text: str) -> tuple[Value, ...]:
    return tuple(sorted({_delay(part) for part in text.split(",")}))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def _positive(text: str) -> float:
    number = _number(text)
    if not 0.0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} must be above zero")
    return number


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1 on")
    return int(text)


def _options_of(verb: argparse.ArgumentParser) -> str:
    """Return the part of *verb*'s help that lists its options."""
    _, _, options = verb.format_help().partition("positional arguments:")
    return f"the main job, `autotune [MODEL] --max-latency TIME`:\n{options.lstrip(chr(10))}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
