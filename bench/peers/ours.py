"""fastmlp itself."""

from itertools import cycle

from fastmlp import Dense, Flatten, Sequential

from ..workloads import Workload, as_floats, data, initial_weights
from . import Run, repeated


def model(workload: Workload) -> Sequential:
    """The network with the initial weights."""
    hidden = [Dense(units, "relu") for units in workload.layers[1:-1]]
    head = Dense(workload.layers[-1], "softmax" if workload.classes else "identity")
    network = Sequential([Flatten(), *hidden, head], optimizer=workload.optimizer).build(
        workload.sample_shape
    )
    for layer, (weight, bias) in zip(network.layers[1:], initial_weights(workload), strict=True):
        layer.weight, layer.bias = weight, bias
    return network


def train(workload: Workload, mode: str) -> Run:
    """Mode: `kernels`; `one thread`, the same on one; `reference`, the same in NumPy."""
    X, y = data(workload)
    trained = model(workload)
    options = {"threads": 1} if mode == "one thread" else {"engine": mode}
    return lambda times: trained.fit(X, y, epochs=times, batch_size=workload.batch_size, verbose=0, **options)


def predict(workload: Workload, mode: str) -> Run:
    """One row by `predictor()`, more by `predict`."""
    X, trained = data(workload)[0], model(workload)
    if workload.batch_size > 1:
        return repeated(lambda: trained.predict(X))
    predictor, row = trained.predictor(), cycle(as_floats(X).reshape(len(X), *workload.sample_shape)).__next__
    return repeated(lambda: predictor(row()))
