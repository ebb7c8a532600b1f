"""fastmlp itself."""

from itertools import cycle

from fastmlp import AdamW, Dense, Dropout, Flatten, Sequential
from fastmlp.losses import Huber, Loss
from fastmlp.optimizers import Optimizer

from ..workloads import Workload, as_floats, data, initial_weights, sample_weights
from . import WEIGHT_DECAY, Run, repeated


def model(workload: Workload) -> Sequential:
    """The network with the initial weights."""
    layers = [Flatten()]
    for units in workload.layers[1:-1]:
        layers += [Dense(units, "relu"), *([Dropout(workload.dropout)] if workload.dropout else [])]
    layers.append(Dense(workload.layers[-1], "softmax" if workload.classes else "identity"))
    network = Sequential(
        layers, loss=_loss(workload), optimizer=_optimizer(workload), dtype=workload.dtype
    ).build(workload.sample_shape)
    dense = [layer for layer in network.layers if isinstance(layer, Dense)]
    for layer, (weight, bias) in zip(dense, initial_weights(workload), strict=True):
        layer.weight, layer.bias = weight, bias
    return network


def _loss(workload: Workload) -> str | Loss:
    return Huber() if workload.loss == "huber" else "auto"


def _optimizer(workload: Workload) -> str | Optimizer:
    return AdamW(weight_decay=WEIGHT_DECAY) if workload.optimizer == "adamw" else workload.optimizer


def train(workload: Workload, mode: str) -> Run:
    """Mode: `kernels`; `one thread`, the same on one; `float32`, the same without bfloat16; `reference`, in NumPy."""
    X, y = data(workload)
    trained = model(workload._replace(dtype="float32") if mode == "float32" else workload)
    options = {
        "batch_size": workload.batch_size, "sample_weight": sample_weights(workload), "verbose": 0,
        "engine": "reference" if mode == "reference" else "kernels",
    }  # fmt: skip
    if mode == "one thread":
        options["threads"] = 1
    return lambda times: trained.fit(X, y, epochs=times, **options)["loss"][-1]


def predict(workload: Workload, mode: str) -> Run:
    """One row by `predictor()`, more by `predict`."""
    X, trained = data(workload)[0], model(workload)
    if workload.batch_size > 1:
        return repeated(lambda: trained.predict(X))
    predictor, row = trained.predictor(), cycle(as_floats(X).reshape(len(X), *workload.sample_shape)).__next__
    return repeated(lambda: predictor(row()))
