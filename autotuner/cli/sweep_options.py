"""What can be typed for sweeps and reports."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from autotuner.cli.daemon_options import add_detaching
from autotuner.cli.readers import positive, read, whole
from autotuner.cli.workload_options import model_name
from autotuner.core import quantity
from autotuner.core.errors import InputError
from autotuner.core.request import CharacterizeRequest, Workload
from autotuner.core.space import Value
from autotuner.core.sweep import Protocol

_NUMBERS = frozenset(("batch_size", "workers", "intra_op_threads", "streams"))


def add_characterize(verb: argparse.ArgumentParser) -> None:
    """Give *verb* the models and the grid."""
    verb.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="ONNX files, folders of them, or names of reference models",
    )
    verb.add_argument(
        "--sweep",
        action="append",
        type=read(_sweep),
        default=[],
        metavar="DIMENSION=VALUES",
        help="batch_size=1..34, workers=1,2, precision=fp32,int8, power_mode=all; repeat it",
    )
    verb.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="FILE",
        help="real inputs by name, .npz or .npy; once for all models, or once for each",
    )
    verb.add_argument("--device", metavar="sim:NAME", help="a simulated device")
    verb.add_argument(
        "--seconds", type=positive, default=1.0, help="window of each configuration (default 1)"
    )
    verb.add_argument(
        "--protocol",
        choices=get_args(Protocol),
        default="steady",
        help="steady: a window of batches that show no trend; embench: 2 s of rest, 10 runs to "
        "warm up, then the fastest of 50 (default: steady)",
    )
    verb.add_argument(
        "--accuracy-table",
        metavar="FILE",
        help="YAML with the accuracy of each model, by its name: `squeezenet: 0.58`",
    )
    verb.add_argument(
        "--time",
        type=read(quantity.seconds),
        metavar="TIME",
        help="refuse a sweep that takes longer",
    )
    verb.add_argument(
        "--out",
        metavar="DIR",
        default="characterization",
        help="where report, figures and tables go (default: characterization)",
    )
    add_detaching(verb)


def add_report(verb: argparse.ArgumentParser) -> None:
    """Give *verb* the files to report on."""
    verb.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="folders that `autotune characterize` wrote, profiles of tuning runs, or JSON of "
        "layers or partition",
    )
    verb.add_argument(
        "--storage", metavar="URL", help="where the study of a profile lies (default: this box)"
    )
    verb.add_argument("--out", metavar="DIR", default="report", help="(default: report)")


def add_capacity(verb: argparse.ArgumentParser) -> None:
    """Give *verb* the memory, what is measured, and the task."""
    verb.add_argument("models", nargs="+", metavar="MODEL")
    verb.add_argument(
        "--memory", required=True, type=read(quantity.mebibytes), metavar="SIZE", help="8GiB"
    )
    verb.add_argument(
        "--batch-sizes", type=read(quantity.integers), default=(1, 8), metavar="N", help="(1,8)"
    )
    verb.add_argument("--precisions", type=read(quantity.words), metavar="P", help="fp32,int8")
    verb.add_argument("--data", metavar="FILE", help="real inputs by name, .npz or .npy")
    verb.add_argument("--device", metavar="sim:NAME", help="a simulated device")
    task = verb.add_argument_group("an inspection line: how many boxes does it need?")
    task.add_argument("--cameras", type=whole, default=1, metavar="N")
    task.add_argument("--images-per-item", type=whole, default=1, metavar="N")
    task.add_argument("--tiles", type=whole, default=1, metavar="N", help="of each image")
    task.add_argument("--seconds-per-item", type=positive, metavar="S")
    add_detaching(verb)


def capacity_request(options: argparse.Namespace) -> CharacterizeRequest:
    """Return the sweep that tells what one instance and another one take."""
    dimensions: dict[str, tuple[Value, ...]] = {
        "batch_size": options.batch_sizes,
        "workers": (1, 2),
    }
    if options.precisions is not None:
        dimensions["precision"] = options.precisions
    return CharacterizeRequest(
        models=tuple(model for text in options.models for model in _models(text)),
        workload=Workload(
            data=_absolute(options.data),
            device=options.device,
        ),
        dimensions=dimensions,
    )


def characterize_request(options: argparse.Namespace) -> CharacterizeRequest:
    """Return the request for the sweep that the *options* spell."""
    dimensions: dict[str, tuple[Value, ...]] = {}
    for name, values in options.sweep:
        dimensions[name] = tuple(dict.fromkeys((*dimensions.get(name, ()), *values)))
    data = [str(Path(path).absolute()) for path in options.data]
    return CharacterizeRequest(
        models=tuple(model for text in options.models for model in _models(text)),
        workload=Workload(
            data=data[0] if len(data) == 1 else None,
            device=options.device,
        ),
        dimensions=dimensions,
        protocol=options.protocol,
        seconds=options.seconds,
        max_seconds=options.time,
        data=tuple(data) if len(data) > 1 else (),
        accuracy_table=_absolute(options.accuracy_table),
    )


def _absolute(path: str | None) -> str | None:
    return str(Path(path).absolute()) if path else None


def _models(text: str) -> list[str | None]:
    """Return the model that *text* names, or those in the folder that it is."""
    folder = Path(text)
    if not folder.is_dir():
        return [model_name(text)]
    found = sorted(folder.glob("*.onnx"))
    if not found:
        raise InputError(f"The folder {text} holds no .onnx file; name another.")
    return [str(path.absolute()) for path in found]


def _sweep(text: str) -> tuple[str, tuple[Value, ...]]:
    """Read a dimension and its values; ``all`` stands for every value that there is."""
    name, equals, values = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals or not name:
        raise InputError(f"{text!r} is no sweep; write it such as batch_size=1..16.")
    if name in _NUMBERS and values.strip() != "all":
        return name, quantity.integers(values)
    return name, quantity.words(values)
