"""Models loaded by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autotuner.backends.base import BackendFailure

_MEMORY_WORDS = ("failed to allocate memory", "bad_alloc", "out of memory", "cudaerrormemory")


class OnnxRuntimeSession:
    """One loaded model; inputs and outputs lie in host memory, for a GPU copies are included."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Run one batch."""
        try:
            outputs: Sequence[Any] = self._session.run(None, feeds)
        except Exception as error:
            raise failure(error, loading=False) from error
        return outputs

    def close(self) -> None:
        """Drop the session, which frees its memory."""
        self._session = None


class CapturedSession:
    """One model whose full batches run as a CUDA graph, from and to the same memory of the GPU.

    A captured graph replays with fixed addresses only, so inputs are copied to where they were
    when it was captured and outputs from there. What has another shape runs without it.
    """

    def __init__(
        self, session: Any, shapes: Mapping[str, tuple[int, ...]], *, device: str = "cuda"
    ) -> None:
        import onnxruntime  # noqa: PLC0415 - optional, and heavy

        self._session = session
        self._shapes = dict(shapes)
        self._device = device
        self._bound: _Bound | None = None
        self._uncaptured = onnxruntime.RunOptions()
        self._uncaptured.add_run_config_entry("gpu_graph_id", "-1")

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Run one batch; it includes the copies to the GPU and back."""
        try:
            if self._bound is not None and self._bound.fits(feeds):
                return self._bound.run(feeds)
            outputs: Sequence[Any] = self._session.run(None, feeds, self._uncaptured)
            if {name: array.shape for name, array in feeds.items()} == self._shapes:
                self._bound = _Bound(self._session, feeds, outputs, self._device)
        except Exception as error:
            raise failure(error, loading=False) from error
        return outputs

    def close(self) -> None:
        """Drop the session and its memory of the GPU."""
        self._bound = self._session = None


class _Bound:
    """Memory of the device for one batch, bound to a session."""

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

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Copy the inputs in, run, and copy the outputs out."""
        for name, array in feeds.items():
            self._inputs[name].update_inplace(array)
        self._session.run_with_iobinding(self._binding)
        return [value.numpy() for value in self._outputs]


def failure(error: Exception, *, loading: bool) -> BackendFailure:
    """Return what *error* means for the trial."""
    # ONNX Runtime has no public exception types; its messages are one line with a code in front.
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or any(word in text.lower() for word in _MEMORY_WORDS):
        return BackendFailure("oom", text)
    return BackendFailure("unsupported" if loading else "crashed", text)
