"""onnxruntime: forward only, weights as constants that it may prepack, one thread."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from symconv.bench.layers import Array
from symconv.bench.ours import Task
from symconv.bench.turns import Entrant
from symconv.layer import Dense

NAME = "onnxruntime"


def missing() -> str:
    """Why this peer cannot take part; empty when it can."""
    absent = [n for n in ("onnxruntime", "onnx") if find_spec(n) is None]
    return f"{' and '.join(absent)} not installed" if absent else ""


def version() -> str:
    """The one installed."""
    import onnxruntime

    return str(onnxruntime.__version__)


def python_entrants(task: Task, kernel: str) -> list[Entrant]:
    """run() with arrays, and with arrays bound before; nothing for gradients."""
    import onnxruntime as ort

    if kernel != "forward":
        return []
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(_model(task).SerializeToString(), options, providers=["CPUExecutionProvider"])
    x, shape = task.arrays["x"], task.expected[kernel].shape
    binding, out = session.io_binding(), np.empty(shape, np.float32)
    binding.bind_cpu_input("x", x)
    binding.bind_output("y", "cpu", 0, np.float32, shape, out.ctypes.data)
    given = {"x": x}

    def bound() -> Array:
        session.run_with_iobinding(binding)
        return out

    def run() -> Array:
        found: Array = session.run(None, given)[0]
        return found

    return [Entrant(NAME, "run", run, run), Entrant(NAME, "bound", bound, bound, keep=binding)]


def _model(task: Task) -> Any:
    """The layer as a graph of one node."""
    from onnx import TensorProto, helper, numpy_helper

    g, w = task.geometry, task.arrays["w"]
    if isinstance(task.measured.layer, Dense):
        node = helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)
    else:
        extra = {}
        if g.transposed:
            full = [(small - 1) * s + d * (k - 1) + 1 - low - high for _, k, small, s, d, low, high in g.axes]
            extra["output_padding"] = [big - f for big, f in zip(g.column(0), full, strict=True)]
        node = helper.make_node("ConvTranspose" if g.transposed else "Conv", ["x", "w"], ["y"],
                                kernel_shape=g.column(1), strides=g.column(3), dilations=g.column(4),
                                pads=[*g.column(5), *g.column(6)], group=g.groups, **extra)
    tensors = [helper.make_tensor_value_info(n, TensorProto.FLOAT, a.shape)
               for n, a in (("x", task.arrays["x"]), ("y", task.expected["forward"]))]
    graph = helper.make_graph([node], "layer", tensors[:1], tensors[1:], [numpy_helper.from_array(w, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model
