"""Small data sets that scikit-learn brings, standardised."""

from functools import cache
from typing import NamedTuple

import numpy as np


class Small(NamedTuple):
    """A data set for classes, or for values."""

    X: np.ndarray
    y: np.ndarray
    classes: int  # 0: values


NAMES = ("iris", "wine", "breast_cancer", "digits", "diabetes")


@cache
def small(name: str) -> Small:
    """The data set, with columns of mean 0 and deviation 1, in float32."""
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    deviation = X.std(axis=0)
    X = ((X - X.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)).astype("float32")
    if name == "diabetes":
        return Small(X, ((y - y.mean()) / y.std()).astype("float32"), 0)
    return Small(X, y, int(y.max()) + 1)
