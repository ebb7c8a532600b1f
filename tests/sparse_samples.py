"""Samples that are mostly zero, and a classifier of them."""

import numpy as np
import pytest

from fastmlp import Dense, Sequential

sp = pytest.importorskip("scipy.sparse")

CONTAINERS = {"matrix": sp.csr_matrix, "array": sp.csr_array}
ROWS, FEATURES, CLASSES = 70, 77, 3
Y = np.random.default_rng(1).integers(0, CLASSES, ROWS)


def dense_matrix(kind=np.float32, density=0.1):
    """A matrix of this type, with rows and columns that are empty."""
    random = np.random.default_rng(0)
    numbers = random.integers(1, 256, (ROWS, FEATURES))
    if kind not in (np.uint8, np.int64, np.bool_):
        numbers = numbers * random.standard_normal(numbers.shape)
    X = np.where(random.random(numbers.shape) < density, numbers, 0)
    X[[0, 5, -1]] = 0
    X[:, [0, 9, -1]] = 0
    return X.astype(kind)


def classifier(**options):
    return Sequential([Dense(33, "relu"), Dense(CLASSES, "softmax")], **options)
