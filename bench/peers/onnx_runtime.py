"""ONNX Runtime: prediction, with a graph that is built here."""

from itertools import cycle

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from ..workloads import Workload, as_floats, data, initial_weights
from . import Run, repeated


def _graph(workload: Workload) -> bytes:
    """The network as an ONNX model."""
    nodes, constants, value = [], [], "x0"
    weights = initial_weights(workload)
    for number, pair in enumerate(weights, 1):
        names = [f"{kind}{number}" for kind in ("weight", "bias")]
        constants += [numpy_helper.from_array(array, name) for array, name in zip(pair, names, strict=True)]
        nodes.append(helper.make_node("Gemm", [value, *names], [value := f"z{number}"]))
        if number < len(weights):
            nodes.append(helper.make_node("Relu", [value], [value := f"x{number}"]))
    if workload.classes:
        nodes.append(helper.make_node("Softmax", [value], [value := "probabilities"], axis=-1))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [workload.batch_size, columns])
        for name, columns in (("x0", workload.layers[0]), (value, workload.layers[-1]))
    ]
    graph = helper.make_graph(nodes, "mlp", ends[:1], ends[1:], constants)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def predict(workload: Workload, mode: str) -> Run:
    """One row runs on one thread, as there is no work to share."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1 if workload.batch_size == 1 else 0
    session = onnxruntime.InferenceSession(_graph(workload), options, providers=["CPUExecutionProvider"])
    X = as_floats(data(workload)[0])
    batch = cycle([{"x0": rows} for rows in np.split(X, len(X) // workload.batch_size)]).__next__
    return repeated(lambda: session.run(None, batch())[0])
