"""Six good samples of three classes, and a small classifier."""

import numpy as np

from fastmlp import Dense, Dropout, Sequential

GOOD_X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
GOOD_Y = np.array([0, 1, 2, 0, 1, 2])


def classifier():
    return Sequential([Dense(5, "tanh"), Dropout(0.1), Dense(3, "softmax")])
