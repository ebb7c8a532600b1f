"""What a model says of samples: classes, and how certain it is of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.sparse_matrix import SparseMatrix

if TYPE_CHECKING:
    from ..model import Sequential


# Last activations whose outputs are probabilities of all classes, or their logarithms; and of the second of two.
OF_EACH_CLASS = {"softmax", "log_softmax"}
OF_ONE_CLASS = {"sigmoid", "hard_sigmoid"}


def as_model(model: Sequential, who: str) -> Sequential:
    """The model, if it is one."""
    from ..model import Sequential

    if not isinstance(model, Sequential):
        raise TypeError(f"{who}: expected a Sequential, got {type(model).__name__}")
    return model


def confidences(model: Sequential, X: ArrayLike | SparseMatrix) -> tuple[np.ndarray, np.ndarray]:
    """The class of each sample, and the probability that the model gives it.

    Raises
    ------
    ValueError
        If the model puts out no probabilities.
    """
    outputs = np.atleast_2d(model.predict(X))
    last = model.last_activation
    if last in OF_EACH_CLASS:
        shares = np.exp(outputs) if last == "log_softmax" else outputs
        return shares.argmax(axis=1), shares.max(axis=1)
    if last in OF_ONE_CLASS and outputs.shape[1] == 1:
        upper = outputs[:, 0] > 0.5
        return upper.astype(np.int64), np.where(upper, outputs[:, 0], 1 - outputs[:, 0])
    raise ValueError(
        f"expected a classifier, a model that ends in softmax or in one sigmoid, got one with {outputs.shape[1]} "
        f"outputs after {last}"
    )
