"""NumPy: training by our own reference engine, prediction by a few lines."""

from itertools import cycle

import numpy as np

from ..workloads import Workload, as_floats, data, initial_weights
from . import Run, ours, repeated

CHUNK = 500  # rows whose activations stay in the cache between the layers


def train(workload: Workload, mode: str) -> Run:
    """The same training in NumPy, as fast as we can write it: whole batches, all operations in place."""
    _limit_threads(mode)
    return ours.train(workload, "reference")


def predict(workload: Workload, mode: str) -> Run:
    """Products into existing buffers, many rows at a time."""
    _limit_threads(mode)
    rows = min(workload.batch_size, CHUNK)
    layers = [(w, b, np.empty((rows, len(b)), np.float32)) for w, b in initial_weights(workload)]
    X = as_floats(data(workload)[0])
    if workload.batch_size == 1:
        layers, row = [(w, b, buffer[0]) for w, b, buffer in layers], cycle(X).__next__
        return repeated(lambda: _forward(layers, row(), workload.classes))
    chunks = np.split(X, len(X) // rows)
    result = np.empty((len(chunks), rows, workload.layers[-1]), np.float32)

    def all_chunks() -> np.ndarray:
        for values, place in zip(chunks, result, strict=True):
            place[...] = _forward(layers, values, workload.classes)
        return result.reshape(len(X), -1)

    return repeated(all_chunks)


def _limit_threads(mode: str) -> None:
    """Mode: `all threads`, or `one thread`: the threads of a BLAS wait longer than a small product takes."""
    if mode == "one thread":
        from threadpoolctl import threadpool_limits

        threadpool_limits(1)


def _forward(layers, values: np.ndarray, classes: bool) -> np.ndarray:
    last = layers[-1][2]
    for weight, bias, buffer in layers:
        values = np.dot(values, weight, out=buffer)
        values += bias
        if buffer is not last:
            np.maximum(values, 0, out=values)
    if classes:
        values -= values.max(axis=-1, keepdims=True)
        np.exp(values, out=values)
        values /= values.sum(axis=-1, keepdims=True)
    return values
