"""The verbs about models and their variants: ``select`` and ``cache``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from autotuner.cli.daemon_options import add_detaching
from autotuner.cli.parser import add_output
from autotuner.cli.tune_options import add_tune, tune_request
from autotuner.cli.workload_options import model_name
from autotuner.core.request import CacheRequest, Request, SelectRequest

HELP: Mapping[str, str] = {
    "select": "tune several models and name the most accurate one within the constraints",
    "cache": "list or clear the precision variants that were made of models",
}


def _add_select(verb: argparse.ArgumentParser) -> None:
    add_tune(verb, models="+")
    verb.add_argument(
        "--accuracy-table",
        metavar="FILE",
        help="YAML with the accuracy of each model, by its name: `squeezenet: 0.58`",
    )


def _select_request(options: argparse.Namespace) -> SelectRequest:
    table = options.accuracy_table
    return SelectRequest(
        models=tuple(str(model_name(name)) for name in options.model),
        tune=tune_request(options),
        accuracy_table=str(Path(table).absolute()) if table else None,
    )


def _add_cache(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("action", nargs="?", choices=("list", "clear"), default="list")
    add_detaching(verb)
    add_output(verb)


def _cache_request(options: argparse.Namespace) -> CacheRequest:
    return CacheRequest(clear=options.action == "clear")


OPTIONS: Mapping[str, Callable[[argparse.ArgumentParser], None]] = {
    "select": _add_select,
    "cache": _add_cache,
}
"""What adds a verb's options."""

REQUESTS: Mapping[str, Callable[[argparse.Namespace], Request]] = {
    "select": _select_request,
    "cache": _cache_request,
}
"""What builds the request of a verb."""
