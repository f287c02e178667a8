"""Models loaded by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from autotuner.backends.base import BackendFailure

_Result = TypeVar("_Result")

_TYPES = {"float": "float32", "double": "float64"}  # where NumPy's name is another one
_MEMORY_WORDS = ("failed to allocate memory", "bad_alloc", "out of memory", "cudaerrormemory")


class OnnxRuntimeSession:
    """One loaded model that computes in the memory of *device*."""

    def __init__(self, session: Any, *, device: str = "cpu") -> None:
        self._session = session
        self._device = device

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Run one batch."""
        outputs: Sequence[Any] = _guarded(lambda: self._session.run(None, feeds))
        return outputs

    def bind(self, feeds: Mapping[str, Any]) -> Callable[[], object]:
        """Return what runs *feeds*; on a CPU they lie right as they are."""
        if self._device == "cpu":
            return lambda: self.run(feeds)
        bound = _guarded(lambda: _Bound(self._session, feeds, self.run(feeds), self._device))
        return lambda: _guarded(bound.run)

    def run_zeros(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Run a batch of *shapes* without anything in it."""
        kinds = {
            described.name: described.type.removeprefix("tensor(").removesuffix(")")
            for described in self._session.get_inputs()
        }
        types = {name: _TYPES.get(kind, kind) for name, kind in kinds.items()}
        self.run({name: np.zeros(shape, types[name]) for name, shape in shapes.items()})

    def close(self) -> None:
        """Drop the session, which frees its memory."""
        self._session = None


class CapturedSession(OnnxRuntimeSession):
    """One model whose full batches run as a CUDA graph, from and to the same memory of the GPU.

    A captured graph replays with fixed addresses only, so inputs are copied to where they were
    when it was captured and outputs from there. What has another shape runs without it.
    """

    def __init__(
        self, session: Any, shapes: Mapping[str, tuple[int, ...]], *, device: str = "cuda"
    ) -> None:
        import onnxruntime  # noqa: PLC0415 - optional, and heavy

        super().__init__(session, device=device)
        self._shapes = dict(shapes)
        self._bound: _Bound | None = None
        self._uncaptured = onnxruntime.RunOptions()
        self._uncaptured.add_run_config_entry("gpu_graph_id", "-1")

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Run one batch; it includes the copies to the GPU and back."""
        return _guarded(lambda: self._run(feeds))

    def bind(self, feeds: Mapping[str, Any]) -> Callable[[], object]:
        """Return what replays the graph on *feeds*, which lie where they were captured."""
        self.run(feeds)
        bound = self._bound
        if bound is None or not bound.fits(feeds):
            raise BackendFailure("crashed", "only full batches can be bound")
        _guarded(lambda: bound.put(feeds))
        return lambda: _guarded(bound.run)

    def close(self) -> None:
        """Drop the session and its memory of the GPU."""
        self._bound = self._session = None

    def _run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        if self._bound is not None and self._bound.fits(feeds):
            self._bound.put(feeds)
            self._bound.run()
            return self._bound.take()
        outputs: Sequence[Any] = self._session.run(None, feeds, self._uncaptured)
        if {name: array.shape for name, array in feeds.items()} == self._shapes:
            self._bound = _Bound(self._session, feeds, outputs, self._device)
        return outputs


class _Bound:
    """Memory of the device for one batch, bound to a session; it holds *feeds* and *outputs*."""

    def __init__(
        self, session: Any, feeds: Mapping[str, Any], outputs: Sequence[Any], device: str
    ) -> None:
        from onnxruntime import OrtValue  # noqa: PLC0415 - optional, and heavy

        self._session = session
        self._binding = session.io_binding()
        self._types = {name: (array.shape, array.dtype) for name, array in feeds.items()}
        self._inputs = {n: OrtValue.ortvalue_from_numpy(a, device) for n, a in feeds.items()}
        self._outputs = [OrtValue.ortvalue_from_numpy(array, device) for array in outputs]
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, value)
        for described, value in zip(session.get_outputs(), self._outputs, strict=True):
            self._binding.bind_ortvalue_output(described.name, value)

    def fits(self, feeds: Mapping[str, Any]) -> bool:
        """Say whether *feeds* is like the batch that the memory was made for."""
        return self._types == {name: (array.shape, array.dtype) for name, array in feeds.items()}

    def put(self, feeds: Mapping[str, Any]) -> None:
        """Copy the inputs in."""
        for name, array in feeds.items():
            self._inputs[name].update_inplace(array)

    def run(self) -> None:
        """Run what lies there and wait until it is done."""
        self._session.run_with_iobinding(self._binding)
        self._binding.synchronize_outputs()

    def take(self) -> Sequence[Any]:
        """Copy the outputs out."""
        return [value.numpy() for value in self._outputs]


def _guarded(act: Callable[[], _Result]) -> _Result:
    """Return what *act* returns; what the runtime raises becomes a BackendFailure."""
    try:
        return act()
    except BackendFailure:
        raise
    except Exception as error:
        raise failure(error, loading=False) from error


def failure(error: Exception, *, loading: bool) -> BackendFailure:
    """Return what *error* means for the trial."""
    # ONNX Runtime has no public exception types; its messages are one line with a code in front.
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or any(word in text.lower() for word in _MEMORY_WORDS):
        return BackendFailure("oom", text)
    return BackendFailure("unsupported" if loading else "crashed", text)
