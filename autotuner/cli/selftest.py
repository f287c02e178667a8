"""The self-test of ``autotune doctor``: this machine shows what one of its kind should."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

Documents = Sequence[dict[str, Any]]
"""What the commands of one part printed, in their order."""

_MEASURE = "measure inception-v2 --batch-size 8"
_NO_LESS, _SOON_S = 0.95, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Commands and what they should print; *needs* are checks of the doctor that must be ok."""

    needs: tuple[str, ...]
    commands: tuple[str, ...]
    expected: str
    holds: Callable[[Documents], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one part."""

    part: Part
    found: tuple[str, ...]
    held: bool


def _measured(found: Documents) -> bool:
    return all("measurement" in document for document in found)


def _sooner(found: Documents) -> bool:
    first, second = (document["measurement"]["setup_s"] for document in found)
    return bool(second <= max(first, _SOON_S))


def _faster(found: Documents, *, least: float = 1.0) -> bool:
    first, second = (document["measurement"]["throughput_ips"] for document in found)
    return bool(second > least * first)


def _on(provider: str, *more: str) -> str:
    return " ".join([_MEASURE, "--provider", provider, *more])


PARTS = (
    Part(
        needs=(),
        commands=("measure --device sim:jetson-orin-nano --batch-size 8",),
        expected="a throughput, and `simulated` names the device",
        holds=lambda found: found[0].get("simulated") == "jetson-orin-nano",
    ),
    *(
        Part(
            needs=(provider,),
            commands=(_on(provider),),
            expected="a throughput, and no `failed`",
            holds=_measured,
        )
        for provider in ("onnxruntime-cpu", "openvino-cpu")
    ),
    *(
        Part(
            needs=(provider,),
            commands=(_on(provider),) * 2,
            expected="the second is set up sooner, or within 10 s",
            holds=_sooner,
        )
        for provider in ("openvino-gpu", "openvino-npu")
    ),
    Part(
        needs=("onnxruntime-cuda",),
        commands=(_on("onnxruntime-cpu"), _on("onnxruntime-cuda")),
        expected="more throughput on the GPU, copies included",
        holds=_faster,
    ),
    Part(
        needs=("onnxruntime-cuda",),
        commands=(_on("onnxruntime-cuda"), _on("onnxruntime-cuda", "--precision fp16")),
        expected="more throughput in FP16",
        holds=_faster,
    ),
    Part(
        needs=("onnxruntime-cuda",),
        commands=(_on("onnxruntime-cuda"), _on("onnxruntime-cuda", "--io device")),
        expected="no less throughput without the copies",
        holds=lambda found: _faster(found, least=_NO_LESS),
    ),
    *(
        Part(
            needs=(provider,),
            commands=(_on(provider, "--precision fp16"),) * 2,
            expected="the second is set up sooner, or within 10 s, for the engine is there",
            holds=_sooner,
        )
        for provider in ("onnxruntime-tensorrt", "tensorrt")
    ),
    Part(
        needs=("tensorrt",),
        commands=(
            _on("tensorrt", "--precision fp16"),
            _on("tensorrt", "--precision fp16 --io device"),
        ),
        expected="no less throughput without the copies",
        holds=lambda found: _faster(found, least=_NO_LESS),
    ),
    Part(
        needs=("tensorrt",),
        commands=tuple(
            f"measure inception-v2 --provider tensorrt --precision fp16 --workers {workers}"
            for workers in (1, 4)
        ),
        expected="two throughputs, from one engine",
        holds=_measured,
    ),
    Part(
        needs=("tensorrt",),
        commands=tuple(
            _on("tensorrt", f"--precision fp16 --streams {streams}") for streams in (1, 4)
        ),
        expected="two throughputs, from one engine and one process each",
        holds=_measured,
    ),
    Part(
        needs=("tensorrt", "mps"),
        commands=tuple(
            _on("tensorrt", f"--precision fp16 --workers 4 --mps {state}")
            for state in ("off", "on")
        ),
        expected="two throughputs, and no `nvidia-cuda-mps` process afterwards",
        holds=_measured,
    ),
    Part(
        needs=("tensorrt",),
        commands=(
            _on("tensorrt", "--precision fp16 --scenario server --rate 100 --max-queue-delay 5ms"),
        ),
        expected="a latency",
        holds=lambda found: found[0]["measurement"]["latency_ms"]["p99"] > 0.0,
    ),
)
"""Those of ``docs/hardware.md`` that need nobody's hands."""


def run(usable: Collection[str], console: Console, *, as_json: bool) -> int:
    """Run every part that the *usable* providers allow; 1 when one does not show what it should.

    *console* is told about each part as it ends.
    """
    possible = [part for part in PARTS if set(part.needs) <= set(usable)]
    results = []
    for result in _results(possible):
        results.append(result)
        _show(result, console)
    missing = sorted({need for part in PARTS for need in part.needs} - set(usable))
    held = all(result.held for result in results)
    if as_json:
        print(json.dumps(_document(results, missing, held=held), indent=2))
    else:
        failed = sum(not result.held for result in results)
        said = "All of it is as it should be" if held else f"{failed} of {len(results)} is not"
        console.print(f"{said}; not to be had here: {', '.join(missing) or 'nothing'}.")
    return 0 if held else 1


def _results(parts: Sequence[Part]) -> Iterator[Result]:
    for part in parts:
        found = [_asked(command) for command in part.commands]
        try:
            held = part.holds(found)
        except (KeyError, TypeError):  # it printed no such figure
            held = False
        yield Result(part=part, found=tuple(map(_in_short, found)), held=held)


def _asked(command: str) -> dict[str, Any]:
    """Return the document that *command* prints."""
    from autotuner import cli  # noqa: PLC0415 - it imports this module in turn

    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        cli.run([*command.split(), "--json"])
    document: dict[str, Any] = json.loads(output.getvalue())
    return document


def _in_short(document: dict[str, Any]) -> str:
    measured = document.get("measurement")
    if not measured:
        failed = document.get("failed", {})
        return f"{failed.get('reason', document['status'])}: " + str(
            failed.get("detail") or document.get("message", "no measurement")
        )
    words = [f"{measured['throughput_ips']:.1f}/s", f"set up in {measured['setup_s']:.2f} s"]
    if document.get("simulated"):
        words.insert(0, f"simulated {document['simulated']}")
    return ", ".join(words)


def _show(result: Result, console: Console) -> None:
    for command, found in zip(result.part.commands, result.found, strict=True):
        console.print(Text(f"$ autotune {command}", style="bold"))
        console.print(f"  did     {found}", markup=False)
    mark = Text("✓", style="green") if result.held else Text("!", style="bold yellow")
    console.print("  should ", result.part.expected, mark)


def _document(results: Sequence[Result], missing: Sequence[str], *, held: bool) -> dict[str, Any]:
    return {
        "status": "ok" if held else "error",
        "parts": [
            {
                "commands": [f"autotune {command}" for command in result.part.commands],
                "expected": result.part.expected,
                "found": list(result.found),
                "held": result.held,
            }
            for result in results
        ],
        "missing": list(missing),
    }
