"""scikit-learn's MLP."""

import warnings
from itertools import cycle

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from ..workloads import Workload, as_floats, data, initial_weights
from . import RATES, Run, repeated


def _model(workload: Workload, X: np.ndarray, y: np.ndarray):
    """The network with the initial weights; one step on one sample gives it its shape."""
    kind = MLPClassifier if workload.classes else MLPRegressor
    model = kind(
        hidden_layer_sizes=workload.layers[1:-1], batch_size=workload.batch_size, solver=workload.optimizer, alpha=0.0,
        learning_rate_init=RATES[workload.optimizer], momentum=0.0,
    )  # fmt: skip
    with warnings.catch_warnings():  # the batch is larger than one sample
        warnings.simplefilter("ignore")
        model.partial_fit(X[:1], y[:1], **_classes(workload))
    for layer, (weight, bias) in enumerate(initial_weights(workload)):
        model.coefs_[layer][...], model.intercepts_[layer][...] = weight, bias
    return model


def _classes(workload: Workload) -> dict[str, np.ndarray]:
    return {"classes": np.arange(workload.layers[-1])} if workload.classes else {}


def train(workload: Workload, mode: str) -> Run:
    """`partial_fit` is one epoch over the shuffled rows."""
    if workload.dropout or workload.loss == "huber" or workload.optimizer == "adamw":
        raise NotImplementedError("it has no dropout, no Huber loss and no AdamW")
    X, y = data(workload)
    X, random = as_floats(X), np.random.default_rng(0)
    model, classes = _model(workload, X, y), _classes(workload)

    def epoch() -> float:
        order = random.permutation(len(X))
        return model.partial_fit(X[order], y[order], **classes).loss_

    return repeated(epoch)


def predict(workload: Workload, mode: str) -> Run:
    """Probabilities of a classifier, values of a regressor."""
    X, y = data(workload)
    X = as_floats(X)
    model = _model(workload, X, y)
    batch = cycle(np.split(X, len(X) // workload.batch_size)).__next__
    outputs = model.predict_proba if workload.classes else model.predict
    return repeated(lambda: outputs(batch()))
