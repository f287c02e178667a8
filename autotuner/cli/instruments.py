"""What can be typed after the verbs that look at models and hand profiles on."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

from autotuner import export, locations
from autotuner.cli import sweep_options
from autotuner.cli.daemon_options import add_detaching
from autotuner.cli.readers import read, whole
from autotuner.cli.workload_options import model_name
from autotuner.core import network, quantity
from autotuner.core.config import BASELINE, Config
from autotuner.core.encoding import decode
from autotuner.core.errors import InputError
from autotuner.core.layer_profile import LayerProfile
from autotuner.core.partition import Goal
from autotuner.core.request import (
    InspectRequest,
    LayersRequest,
    PartitionRequest,
    Request,
    Workload,
)

HELP: Mapping[str, str] = {
    "inspect": "show what a model is made of: layers, parameters, operations, memory",
    "layers": "time each layer of a model under one configuration",
    "partition": "find where to cut a model between a device and a server",
    "characterize": "measure whole grids of configurations and report on them",
    "capacity": "say how many instances fit into memory, and how many boxes a task needs",
    "report": "write one report of sweeps, layer times and partitions",
    "compare": "write one report of what several boxes showed",
    "export": "write a profile as the files that another tool reads",
}


def _add_export(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", metavar="PROFILE", help="a profile's name or path")
    verb.add_argument(
        "--to",
        choices=tuple(export.TARGETS),
        required=True,
        help="Triton's config.pbtxt, ONNX Runtime's session options or OpenVINO's properties as "
        "code and JSON, or an environment file",
    )
    verb.add_argument(
        "--out", metavar="DIR", default=".", help="where the files go (default: this folder)"
    )
    verb.add_argument(
        "--force",
        action="store_true",
        help="also a profile that is not fit for use, and over files that are there",
    )


def _add_inspect(verb: argparse.ArgumentParser) -> None:
    _add_model(verb)
    add_detaching(verb)


def _add_model(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "model", nargs="?", metavar="MODEL", help="an ONNX file or the name of a reference model"
    )
    verb.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="NAME=3x320x320",
        help="shape of one sample of an input; once for each input that leaves it open",
    )


def _add_layers(verb: argparse.ArgumentParser) -> None:
    _add_model(verb)
    verb.add_argument(
        "--profile", metavar="PROFILE", help="take model and configuration from a profile"
    )
    verb.add_argument("--batch-size", type=whole, default=BASELINE.batch_size, metavar="N")
    verb.add_argument("--threads", type=whole, metavar="N", help="(default: the runtime's)")
    verb.add_argument("--precision", default=BASELINE.precision)
    verb.add_argument("--affinity", default=BASELINE.affinity)
    verb.add_argument("--provider", default=BASELINE.provider)
    verb.add_argument("--power-mode", default=BASELINE.power_mode, metavar="MODE")
    verb.add_argument("--device", metavar="sim:NAME", help="a simulated device")
    verb.add_argument(
        "--margin",
        type=read(quantity.share),
        default=0.005,
        metavar="PERCENT",
        help="to which each layer's share of the time is to be known (default 0.5%%)",
    )
    verb.add_argument(
        "--time", type=read(quantity.seconds), default=20.0, metavar="TIME", help="(default 20s)"
    )
    add_detaching(verb)


def _add_partition(verb: argparse.ArgumentParser) -> None:
    _add_model(verb)
    for side, what in (("here", "the device"), ("there", "the server")):
        verb.add_argument(
            f"--{side}",
            required=True,
            type=read(_layer_profile),
            metavar="FILE",
            help=f"layer times of {what}, as `autotune layers --json` prints them",
        )
    verb.add_argument(
        "--network",
        required=True,
        type=read(network.read),
        help="wifi, lte, 3g, or such as up=20mbit,down=50mbit,rtt=10ms,tx=1.2W",
    )
    verb.add_argument("--objective", choices=get_args(Goal), default="latency")
    verb.add_argument(
        "--device-power",
        type=read(quantity.watts),
        metavar="POWER",
        help="what the device draws while it computes: 3W",
    )
    verb.add_argument(
        "--input-bytes",
        type=whole,
        metavar="N",
        help="what one sample takes when it is sent raw, such as an encoded image",
    )
    verb.add_argument(
        "--verify",
        type=whole,
        nargs="?",
        const=1,
        default=0,
        metavar="N",
        help="really cut the model at the best N places (default 1) and run the parts here",
    )
    verb.add_argument("--export", metavar="DIR", help="write both parts of the best cut there")
    add_detaching(verb)


def _partition_request(chosen: argparse.Namespace) -> PartitionRequest:
    return PartitionRequest(
        workload=Workload(model=model_name(chosen.model), shapes=tuple(chosen.shape)),
        here=chosen.here,
        there=chosen.there,
        network=chosen.network,
        goal=chosen.objective,
        device_w=chosen.device_power,
        input_bytes=chosen.input_bytes,
        verify=chosen.verify,
        out=str(Path(chosen.export).absolute()) if chosen.export else None,
    )


def _layer_profile(text: str) -> LayerProfile:
    """Read the document that ``autotune layers --json`` printed into the file *text*."""
    try:
        document = json.loads(Path(text).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{text} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{text} is no JSON; make it with `autotune layers --json`.") from error
    if not isinstance(document, dict) or "profile" not in document:
        raise InputError(f"{text} has no layer times; make it with `autotune layers --json`.")
    profile: LayerProfile = decode(LayerProfile, document["profile"], where=text)
    return profile


def _layers_request(chosen: argparse.Namespace) -> LayersRequest:
    workload = Workload(
        model=model_name(chosen.model), shapes=tuple(chosen.shape), device=chosen.device
    )
    config = Config(
        batch_size=chosen.batch_size,
        intra_op_threads=chosen.threads,
        precision=chosen.precision,
        affinity=chosen.affinity,
        provider=chosen.provider,
        power_mode=chosen.power_mode,
    )
    if chosen.profile is not None:
        from autotuner import store  # noqa: PLC0415 - --help does without it

        kept = store.ProfileStore(locations.state_dir() / "profiles")
        profile = store.read(kept.find(chosen.profile))
        config = profile.winner.config
        workload = workload if chosen.model else profile.workload
    return LayersRequest(
        workload=workload, config=config, margin=chosen.margin, max_seconds=chosen.time
    )


def _inspect_request(chosen: argparse.Namespace) -> InspectRequest:
    workload = Workload(model=model_name(chosen.model), shapes=tuple(chosen.shape))
    return InspectRequest(workload=workload)


OPTIONS: Mapping[str, Callable[[argparse.ArgumentParser], None]] = {
    "inspect": _add_inspect,
    "layers": _add_layers,
    "partition": _add_partition,
    "characterize": sweep_options.add_characterize,
    "capacity": sweep_options.add_capacity,
    "report": sweep_options.add_report,
    "compare": sweep_options.add_report,
    "export": _add_export,
}
"""What adds a verb's options."""

REQUESTS: Mapping[str, Callable[[argparse.Namespace], Request]] = {
    "inspect": _inspect_request,
    "layers": _layers_request,
    "partition": _partition_request,
}
"""What builds the request of a verb that asks the daemon."""
