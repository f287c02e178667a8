"""A GPU that is not there: the driver's functions over the host's memory, and TensorRT on it.

Its one engine doubles ``x`` of [1..4, 3] into ``y``. What is enqueued happens when it is waited
for, so that whoever does not wait sees nothing.
"""

# The names are NVIDIA's.
# ruff: noqa: D102, N802, N815

from __future__ import annotations

import ctypes
import enum
import json
import threading

import numpy as np

MOST_ROWS, COLUMNS = 4, 3
ENGINE = b"doubles"
LAYER = "two + times"
NEED_A_CONTEXT = ("cuMem", "cuStream", "cuGraph")
INVALID_CONTEXT = 201


class HostDriver:
    """The functions of ``libcuda.so.1`` of an Orin with CUDA 12.6.

    *live* holds what was taken and not given back, *status* the errors that functions return. As
    with the real one a thread has to make a context its own before it uses memory and streams.
    """

    def __init__(self, devices=1):
        self.devices = devices
        self.live = {}
        self.queue = []
        self.captured = None
        self.graphs = {}
        self.launches = 0
        self.status = {}
        self.current = threading.local()

    def __getattr__(self, name):
        """Return the function *name*: it fails with the status set for it, otherwise does it."""
        act = getattr(type(self), f"do_{name}", lambda *_: None)

        def call(*arguments):
            if name.startswith(NEED_A_CONTEXT) and not hasattr(self.current, "context"):
                return INVALID_CONTEXT
            return self.status.get(name) or act(self, *arguments) or 0

        return call

    def enqueue(self, act):
        """Take an operation on the stream, into the graph while one is captured."""
        (self.queue if self.captured is None else self.captured).append(act)

    def _take(self, reference, size):
        memory = (ctypes.c_byte * size)()
        reference._obj.value = ctypes.addressof(memory)
        self.live[ctypes.addressof(memory)] = memory

    def do_cuGetErrorString(self, status, reference):
        reference._obj.value = f"error number {status}".encode()

    def do_cuDriverGetVersion(self, reference):
        reference._obj.value = 12060

    def do_cuDeviceGetCount(self, reference):
        reference._obj.value = self.devices

    def do_cuDeviceGetName(self, name, *_):
        name.value = b"Orin"

    def do_cuDeviceGetAttribute(self, reference, attribute, _):
        reference._obj.value = {75: 8, 76: 7}[attribute]

    def do_cuDevicePrimaryCtxRetain(self, reference, _):
        reference._obj.value = 1

    def do_cuCtxSetCurrent(self, context):
        self.current.context = context

    def do_cuStreamCreate(self, reference, _):
        reference._obj.value = 7

    def do_cuMemAlloc_v2(self, reference, size):
        self._take(reference, size.value)

    def do_cuMemHostAlloc(self, reference, size, _):
        self._take(reference, size.value)

    def do_cuMemFree_v2(self, address):
        del self.live[address.value]

    do_cuMemFreeHost = do_cuMemFree_v2

    def do_cuMemcpyHtoDAsync_v2(self, to, origin, size, _):
        self.enqueue(lambda: ctypes.memmove(to.value, origin.value, size.value))

    do_cuMemcpyDtoHAsync_v2 = do_cuMemcpyHtoDAsync_v2

    def do_cuStreamSynchronize(self, _):
        while self.queue:
            self.queue.pop(0)()

    def do_cuStreamBeginCapture_v2(self, *_):
        self.captured = []

    def do_cuStreamEndCapture(self, _, reference):
        reference._obj.value = len(self.graphs) + 100
        self.graphs[reference._obj.value], self.captured = self.captured, None

    def do_cuGraphInstantiateWithFlags(self, reference, graph, _):
        reference._obj.value = graph.value

    def do_cuGraphLaunch(self, graph, _):
        self.launches += 1
        self.queue += self.graphs[graph.value]


class HostTensorRt:
    """As much of the package as a session uses."""

    class TensorIOMode(enum.Enum):
        """Which way a tensor goes."""

        INPUT, OUTPUT = 1, 2

    class DataType(enum.Enum):
        """What a tensor holds."""

        FLOAT = 0

    class ILogger:
        """What a logger derives from."""

        INTERNAL_ERROR, ERROR, WARNING = 0, 1, 2

    class IProfiler:
        """What a profiler derives from."""

    class LayerInformationFormat(enum.Enum):
        """How layers are described."""

        JSON = 1

    def __init__(self, driver):
        self.driver = driver
        self.read = 0  # engines

    def Runtime(self, log):
        """Return what reads engines."""
        return _Runtime(self, log)


class _Runtime:
    def __init__(self, trt, log):
        self.trt, self.log = trt, log

    def deserialize_cuda_engine(self, engine):
        if engine == ENGINE:
            self.trt.read += 1
            return _Engine(self.trt, self.log)
        self.log.log(1, "the engine is of\nanother version")
        return None


class _Engine:
    num_io_tensors = 2
    num_layers = 1

    def __init__(self, trt, log):
        self.trt, self.log = trt, log

    def get_tensor_name(self, index):
        return "xy"[index]

    def get_tensor_mode(self, name):
        modes = self.trt.TensorIOMode
        return modes.INPUT if name == "x" else modes.OUTPUT

    def get_tensor_dtype(self, _):
        return self.trt.DataType.FLOAT

    def create_execution_context(self):
        return _Context(self.trt, self.log)

    def create_engine_inspector(self):
        return _Inspector()


class _Inspector:
    def get_layer_information(self, index, form):
        assert (index, form.name) == (0, "JSON")
        metadata = "[ONNX Layer: two]\x1e[ONNX Layer: times]"
        return json.dumps({"Name": LAYER, "LayerType": "PointWise", "Metadata": metadata})


class _Context:
    profiler = None

    def __init__(self, trt, log):
        self.trt, self.log = trt, log
        self.address, self.shape = {}, None

    def set_input_shape(self, _, shape):
        if len(shape) != 2 or shape[0] > MOST_ROWS or shape[1] != COLUMNS:
            message = f"the profile does not hold {shape}"
            self.log.log(1, message)
            return False
        self.shape = shape
        return True

    def get_tensor_shape(self, _):
        return self.shape

    def set_tensor_address(self, name, address):
        self.address[name] = address

    def execute_async_v3(self, stream):
        assert stream == 7
        size = self.shape[0] * self.shape[1]
        self.trt.driver.enqueue(lambda: self._double(size))
        return True

    def _double(self, size):
        x, y = (
            np.frombuffer((ctypes.c_float * size).from_address(self.address[name]), np.float32)
            for name in "xy"
        )
        y[:] = 2 * x
        if self.profiler is not None:
            self.profiler.report_layer_time(LAYER, 0.25)
