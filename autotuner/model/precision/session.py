"""ONNX Runtime as the judge of what was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import onnxruntime

from autotuner.model.precision.unsupported import Unsupported

_SEVERITY_FATAL = 4


class Session:
    """A model loaded by ONNX Runtime, all cores its own."""

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _SEVERITY_FATAL
        try:
            self._session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise _refused("cannot load", error) from error
        self.output_names = tuple(output.name for output in self._session.get_outputs())

    def run(self, feeds: Iterable[Mapping[str, Any]]) -> Iterator[Sequence[Any]]:
        """Yield the outputs for each of *feeds*; raises Unsupported where a run fails."""
        for one in feeds:
            try:
                yield self._session.run(None, one)
            except Exception as error:
                raise _refused("cannot run", error) from error


def check(model: Path) -> None:
    """Raise Unsupported when *model* is no valid ONNX or ONNX Runtime cannot load it."""
    try:
        onnx.checker.check_model(str(model))
    except onnx.checker.ValidationError as error:
        raise Unsupported(f"the converted model is invalid: {_line(error)}") from error
    Session(model)


def _refused(what: str, error: Exception) -> Unsupported:
    return Unsupported(f"ONNX Runtime {what} the model: {_line(error)}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
