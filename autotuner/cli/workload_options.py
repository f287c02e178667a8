"""The model and its input on the command line, alike for every verb that runs one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from autotuner.cli.readers import number, positive, whole
from autotuner.core.judgement import AccuracyRules, CalibrationMethod
from autotuner.core.request import Io, Scenario, Workload


def add_workload(verb: argparse.ArgumentParser, *, models: str = "?") -> None:
    """Give *verb* the model, its input and how load arrives; *models* is argparse's number."""
    verb.add_argument(
        "model", nargs=models, metavar="MODEL", help="an ONNX file or the name of a reference model"
    )
    inputs = verb.add_argument_group("the model's input")
    inputs.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="NAME=3x320x320",
        help="shape of one sample of an input; once for each input that leaves it open",
    )
    inputs.add_argument(
        "--data",
        metavar="PATH",
        help="real inputs: .npz or .npy by name, or a folder of arrays or images",
    )
    inputs.add_argument(
        "--preprocess",
        metavar="STEPS",
        help="how an image becomes a sample: size=320x320,mean=0.5,std=0.5,layout=nchw",
    )
    inputs.add_argument(
        "--io",
        choices=get_args(Io),
        default=Workload().io,
        help="where inputs and outputs lie: with the host, a GPU's copies included (default), or "
        "on the device",
    )
    inputs.add_argument("--seed", type=int, default=0, help="of random inputs and of the search")
    verb.add_argument(
        "--device",
        metavar="DEVICE",
        help="a device that is not here: sim:NAME is a simulated one, replay:FILE a recorded one",
    )
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
        type=positive,
        metavar="IPS",
        help="requests/s in the scenario server; `tune` finds the highest when none is given",
    )
    load.add_argument(
        "--tiles",
        type=whole,
        metavar="N",
        help="the latency counts for N samples at once, such as the tiles of a large image",
    )
    _add_accuracy(verb)


def _add_accuracy(verb: argparse.ArgumentParser) -> None:
    usual = AccuracyRules()
    rules = verb.add_argument_group("accuracy: every precision is compared with FP32 first")
    rules.add_argument(
        "--min-accuracy",
        type=number,
        default=usual.min_accuracy,
        metavar="SHARE",
        help=f"the share of FP32's accuracy to keep (default {usual.min_accuracy:g})",
    )
    rules.add_argument(
        "--labels", metavar="FILE", help="the true class of each sample of --data, .npy or text"
    )
    rules.add_argument(
        "--accuracy",
        metavar="MODULE:FUNCTION",
        help="your own measure: gets FP32's outputs and the variant's, returns 1 for nothing lost",
    )
    rules.add_argument(
        "--calibration",
        choices=get_args(CalibrationMethod),
        default=usual.calibration,
        help=f"how INT8 takes a tensor's range from the data (default {usual.calibration})",
    )
    rules.add_argument(
        "--allow-uncalibrated",
        action="store_true",
        help="measure INT8's speed without data; its answers are worthless, and marked so",
    )


def workload(options: argparse.Namespace) -> Workload:
    """Return the workload that the *options* spell."""
    return Workload(
        model=None if isinstance(options.model, list) else model_name(options.model),
        shapes=tuple(options.shape),
        data=str(Path(options.data).absolute()) if options.data else None,
        seed=options.seed,
        scenario=options.scenario,
        rate_ips=options.rate,
        device=_device(options.device),
        preprocess=options.preprocess,
        accuracy=_accuracy(options),
        tiles=options.tiles,
        io=options.io,
    )


def _accuracy(options: argparse.Namespace) -> AccuracyRules:
    return AccuracyRules(
        min_accuracy=options.min_accuracy,
        labels=str(Path(options.labels).absolute()) if options.labels else None,
        metric=options.accuracy,
        metric_folder=str(Path.cwd()) if options.accuracy else None,
        calibration=options.calibration,
        allow_uncalibrated=options.allow_uncalibrated,
    )


def _device(text: str | None) -> str | None:
    """Return a recording's path as an absolute one, for the daemon has a folder of its own."""
    kind, _, name = (text or "").partition(":")
    return f"replay:{Path(name).absolute()}" if kind == "replay" and name else text


def model_name(text: str | None) -> str | None:
    """Return a path as an absolute one, for the daemon has a folder of its own; a name as it is."""
    if text is None:
        return None
    looks_like_path = "/" in text or text.endswith(".onnx") or Path(text).exists()
    return str(Path(text).absolute()) if looks_like_path else text
