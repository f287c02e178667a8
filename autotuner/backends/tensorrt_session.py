"""Running a TensorRT engine."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autotuner.backends.base import BackendFailure
from autotuner.backends.cuda import Stream
from autotuner.backends.tensorrt_build import error_log, failure, uncollected

Shapes = Mapping[str, tuple[int, ...]]

LayerListener = Callable[[str, float], None]
"""Is told the name of each layer of a batch and its time in ms."""

# TensorRT's own table of these raises with NumPy 1.24 to 1.26 in its versions before 10.
_TYPES = {
    "FLOAT": np.float32,
    "HALF": np.float16,
    "INT64": np.int64,
    "INT32": np.int32,
    "INT8": np.int8,
    "UINT8": np.uint8,
    "BOOL": np.bool_,
}


class LoadedEngine:
    """A serialised *engine* on the GPU, for any number of sessions, which share its weights.

    Each is for one thread; raises BackendFailure with TensorRT's words.
    """

    @uncollected()
    def __init__(self, trt: Any, engine: bytes) -> None:
        self.trt = trt
        self.log = error_log(trt)
        self._runtime = trt.Runtime(self.log)
        self.engine = self._runtime.deserialize_cuda_engine(engine)
        if self.engine is None:
            raise failure(self.log.errors, loading=True)


class TensorRtSession:
    """Contexts of an engine; batches of its full *shapes* are replayed as a CUDA graph.

    A graph holds for the context and the shapes that it was captured with, so smaller batches have
    a context of their own, made when the first one comes. With a *listener* nothing is captured,
    for a graph does not tell its layers' times.
    """

    def __init__(
        self,
        loaded: LoadedEngine,
        stream: Stream,
        shapes: Shapes,
        listener: LayerListener | None = None,
    ) -> None:
        self._loaded: LoadedEngine | None = loaded
        self._stream = stream
        self._shapes = dict(shapes)
        self._full: _Context | None = self._context()
        self._smaller: _Context | None = None
        self._replay: Callable[[], None] | None = None
        if listener is not None:
            self._full.listen(layer_profiler(loaded.trt, listener))
            self._replay = self._full.enqueue

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Run one batch; it includes the copies to the GPU and back."""
        shapes = {name: array.shape for name, array in feeds.items()}
        if shapes == self._shapes and self._full is not None:
            return self._run(self._full, feeds, self._replay or self._full.enqueue)
        self._smaller = self._smaller or self._context()
        self._smaller.reshape(shapes)
        return self._run(self._smaller, feeds, self._smaller.enqueue)

    def bind(self, feeds: Mapping[str, Any]) -> Callable[[], object]:
        """Return what runs *feeds*, which stay where they were copied to."""
        self.run(feeds)
        if self._full is None or {n: a.shape for n, a in feeds.items()} != self._shapes:
            raise BackendFailure("crashed", "only full batches can be bound")
        execute = self._captured(self._full.execute)

        def run() -> None:
            execute()
            self._stream.wait()

        return run

    def described(self) -> list[str]:
        """Return what the engine says of each of its layers, as JSON."""
        loaded = self._open
        inspector = loaded.engine.create_engine_inspector()
        form = loaded.trt.LayerInformationFormat.JSON
        count = loaded.engine.num_layers
        return [inspector.get_layer_information(index, form) for index in range(count)]

    def close(self) -> None:
        """Give the memory back, that of the engine when no other session has it."""
        self._full = self._smaller = self._replay = self._loaded = None
        self._stream.close()

    @property
    def _open(self) -> LoadedEngine:
        if self._loaded is None:
            raise BackendFailure("crashed", "the session is closed")
        return self._loaded

    def _run(
        self, context: _Context, feeds: Mapping[str, Any], enqueue: Callable[[], None]
    ) -> Sequence[Any]:
        context.put(feeds)
        enqueue()
        self._stream.wait()
        outputs = context.take()
        # Not sooner: the first run may still choose and load kernels, which must not be captured.
        if context is self._full and self._replay is None:
            self._replay = self._captured(context.enqueue)
        return outputs

    def _captured(self, enqueue: Callable[[], None]) -> Callable[[], None]:
        try:
            return self._stream.capture(enqueue)
        except BackendFailure:  # a model with loops or branches may wait for the GPU midway
            return enqueue

    def _context(self) -> _Context:
        return _Context(self._open, self._stream, self._shapes)


class _Context:
    """An execution context with memory for full batches, on the GPU and pinned on the host."""

    def __init__(self, loaded: LoadedEngine, stream: Stream, shapes: Shapes) -> None:
        trt, engine, log = loaded.trt, loaded.engine, loaded.log
        self._log = log
        self._stream = stream
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        self._inputs = [n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        self._outputs = [name for name in names if name not in self._inputs]
        self._types = {name: _dtype(engine.get_tensor_dtype(name), name) for name in names}
        self._context = engine.create_execution_context()
        if self._context is None:
            raise failure(log.errors, loading=True)
        self._shapes: dict[str, tuple[int, ...]] = {}
        self.reshape(shapes)
        self._device: dict[str, int] = {}
        self._host: dict[str, Any] = {}
        for name in names:
            size = self._size_bytes(name)
            self._device[name] = stream.device_memory(size)
            self._host[name] = (ctypes.c_byte * size).from_address(stream.host_memory(size))
            self._context.set_tensor_address(name, self._device[name])

    def reshape(self, shapes: Shapes) -> None:
        """Prepare for a batch of *shapes*."""
        if shapes.keys() != set(self._inputs):
            names = ", ".join(self._inputs)
            raise BackendFailure("crashed", f"a batch has to have the inputs {names}")
        for name, shape in shapes.items():
            if not self._context.set_input_shape(name, shape):
                raise failure(self._log.errors[-1:], loading=False)
        self._shapes = dict(shapes)
        for name in self._outputs:
            shape = tuple(self._context.get_tensor_shape(name))
            if min(shape, default=1) < 0:
                raise BackendFailure(
                    "unsupported", f"the shape of the output {name} depends on the data"
                )
            self._shapes[name] = shape

    def listen(self, profiler: Any) -> None:
        """Have *profiler* told of each layer of every batch."""
        self._context.profiler = profiler

    def put(self, feeds: Mapping[str, Any]) -> None:
        """Lay *feeds* where the copies begin."""
        for name, array in feeds.items():
            if array.dtype != self._types[name]:
                wanted = self._types[name]
                raise BackendFailure("crashed", f"the input {name} has to be {wanted}")
            np.copyto(self._seen(name), array)

    def enqueue(self) -> None:
        """Enqueue the copies of the inputs, the engine and the copies of the outputs."""
        for name in self._inputs:
            self._stream.copy_in(self._device[name], self._address(name), self._size_bytes(name))
        self.execute()
        for name in self._outputs:
            self._stream.copy_out(self._address(name), self._device[name], self._size_bytes(name))

    def execute(self) -> None:
        """Enqueue the engine alone."""
        if not self._context.execute_async_v3(self._stream.handle):
            raise failure(self._log.errors[-1:], loading=False)

    def take(self) -> list[Any]:
        """Return the outputs that the copies brought."""
        return [self._seen(name).copy() for name in self._outputs]

    def _seen(self, name: str) -> Any:
        """Return the pinned memory of *name* as an array of its present shape."""
        flat = np.frombuffer(self._host[name], self._types[name], math.prod(self._shapes[name]))
        return flat.reshape(self._shapes[name])

    def _address(self, name: str) -> int:
        return ctypes.addressof(self._host[name])

    def _size_bytes(self, name: str) -> int:
        item_bytes: int = self._types[name].itemsize
        return max(1, math.prod(self._shapes[name])) * item_bytes


def layer_profiler(trt: Any, listener: LayerListener) -> Any:
    """Return what TensorRT tells the times of layers to, for *listener*."""

    class Profiler(trt.IProfiler):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProfiler.__init__(self)

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            listener(layer_name, ms)

    return Profiler()


def _dtype(kind: Any, name: str) -> Any:
    """Return TensorRT's type *kind* of the tensor *name* as NumPy's."""
    if kind.name not in _TYPES:
        raise BackendFailure("unsupported", f"{name} is of the type {kind.name}")
    return np.dtype(_TYPES[kind.name])
