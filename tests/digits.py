"""A small network for digits that has everything that a file must keep."""

import numpy as np

from fastmlp import SGD, Adam, Dense, Dropout, Flatten, RMSprop, Sequential

OPTIMIZERS = {
    "sgd": SGD(0.1),
    "momentum": SGD(0.05, momentum=0.9),
    "rmsprop": RMSprop(0.01),
    "adam": Adam(0.01),
}


def digits_model(**options):
    """A small network with everything that a file has to keep: dropout, an optimizer with state."""
    layers = [Flatten(), Dense(30, "relu"), Dropout(0.2), Dense(20, "tanh"), Dense(10, "softmax")]
    return Sequential(layers, **{"optimizer": "adam", "seed": 3} | options)


def parameters(model):
    """All trained numbers, one after the other."""
    return np.concatenate([array.ravel() for layer in model.layers for array in layer.parameters.values()])


def assert_same(model, other):
    np.testing.assert_array_equal(parameters(model), parameters(other))
