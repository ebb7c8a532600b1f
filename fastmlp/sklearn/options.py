"""What the arguments of the estimators, named and meant as in scikit-learn, are in terms of fastmlp."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight

from ..activations import ACTIVATIONS
from ..checks import (
    COUNT,
    FINITE,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Accepted,
    checked,
    is_count,
    is_number,
    look_up,
    refusal,
)  # fmt: skip
from ..initializers import VarianceScaling
from ..layers import Dense
from ..optimizers import OPTIMIZERS, SGD, Adam, Optimizer
from ..regularizers import L2

AUTO_BATCH = 200

_ACCEPTED: dict[str, Accepted] = {
    "alpha": NOT_NEGATIVE,
    "tol": FINITE,
    "momentum": FRACTION,
    "beta_1": FRACTION,
    "beta_2": FRACTION,
    "epsilon": POSITIVE,
    "learning_rate_init": POSITIVE,
    "validation_fraction": SHARE,
}


def number(estimator: BaseEstimator, name: str) -> float:
    """The argument of this name as a float; a ValueError if it is not accepted."""
    return checked(type(estimator).__name__, name, getattr(estimator, name), _ACCEPTED[name])


def hidden_sizes(estimator: BaseEstimator) -> list[int]:
    """The units of the hidden layers, of which one may be given without a tuple."""
    given = estimator.hidden_layer_sizes
    sizes = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    if not all(is_count(size) and size > 0 for size in sizes):
        raise _unexpected(estimator, "hidden_layer_sizes", "whole numbers of at least 1, such as (100,)")
    return [int(size) for size in sizes]


def batch_size(estimator: BaseEstimator, samples: int) -> int:
    """Samples of a step, of as many to train on."""
    given = estimator.batch_size
    if isinstance(given, str) and given == "auto":
        return min(AUTO_BATCH, samples)
    return min(checked(type(estimator).__name__, "batch_size", given, COUNT, otherwise="'auto'"), samples)


def weights(X: Any, sample_weight: ArrayLike | None, times: float) -> tuple[np.ndarray | None, float]:
    """Weights whose mean makes the loss so many times as large, if any are needed; and what their mean was."""
    if sample_weight is None:
        return (None if times == 1 else np.full(X.shape[0], times)), 1.0
    given = _check_sample_weight(sample_weight, X, dtype=np.float64)
    mean = float(given.mean()) or 1.0
    return given * (times / mean), mean


def max_iter(estimator: BaseEstimator) -> int:
    """The largest number of epochs."""
    return checked(type(estimator).__name__, "max_iter", estimator.max_iter, COUNT)


def patience(estimator: BaseEstimator) -> float:
    """Epochs without progress that do not end the training yet."""
    given = estimator.n_iter_no_change
    if is_number(given) and given == math.inf:
        return math.inf
    return float(checked(type(estimator).__name__, "n_iter_no_change", given, COUNT, otherwise="infinity"))


def members(estimator: BaseEstimator) -> int:
    """The number of networks."""
    return checked(type(estimator).__name__, "n_members", estimator.n_members, COUNT)


def verbosity(estimator: BaseEstimator) -> int:
    """What `Sequential.fit` is told."""
    if not isinstance(estimator.verbose, Integral) or estimator.verbose < 0:
        raise _unexpected(estimator, "verbose", "False, True, 0, 1 or 2")
    return min(int(estimator.verbose), 2)


def layers(estimator: BaseEstimator, units: int, last: str, penalized: float) -> list[Dense]:
    """The network: hidden layers and the last one, which share the penalty alpha among so many samples."""
    names = {name: name for name in ACTIVATIONS} | {"logistic": "sigmoid"}
    activation = look_up(f"{type(estimator).__name__}: activation", estimator.activation, names)
    sizes, alpha = hidden_sizes(estimator), number(estimator, "alpha")
    # As in scikit-learn, after Glorot and Bengio; logistic units, whose slope at 0 is small, start closer to it.
    initializer = VarianceScaling(1 / 3 if activation == "sigmoid" else 1.0, "fan_avg", "uniform")
    options: dict[str, Any] = {
        "initializer": initializer,
        "bias_initializer": initializer,
        "regularizer": L2(alpha / (2 * penalized)) if alpha else None,
    }
    return [*(Dense(size, activation, **options) for size in sizes), Dense(units, last, **options)]


def _adam(estimator: BaseEstimator) -> Optimizer:
    beta1, beta2, epsilon = (number(estimator, name) for name in ("beta_1", "beta_2", "epsilon"))
    return Adam(number(estimator, "learning_rate_init"), beta1=beta1, beta2=beta2, epsilon=epsilon)


def _sgd(estimator: BaseEstimator) -> Optimizer:
    rate, momentum = number(estimator, "learning_rate_init"), number(estimator, "momentum")
    return SGD(rate, momentum=momentum, nesterov=bool(estimator.nesterovs_momentum and momentum))


def _named(name: str) -> Callable[[BaseEstimator], Optimizer]:
    return lambda estimator: replace(
        OPTIMIZERS[name](), learning_rate=number(estimator, "learning_rate_init")
    )


_SOLVERS = {name: _named(name) for name in OPTIMIZERS} | {"adam": _adam, "sgd": _sgd}


def optimizer(estimator: BaseEstimator) -> Optimizer:
    """What trains the network: `solver`, with the numbers that go with its name."""
    if isinstance(estimator.solver, Optimizer):
        return copy(estimator.solver)  # so that changes of the model's optimizer are none of the argument
    return look_up(f"{type(estimator).__name__}: solver", estimator.solver, _SOLVERS)(estimator)


def _unexpected(estimator: BaseEstimator, name: str, accepted: str) -> ValueError:
    return refusal(f"{type(estimator).__name__}: {name}", accepted, getattr(estimator, name))
