"""Losses by name, and as classes with options. The formulas are in `kernels/loops/losses.py`.

The loss of a batch is the mean over its samples of the loss of a sample; with weights, the sum of weight times loss
divided by the number of samples (not by the sum of the weights), as Keras does by default.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from .checks import FRACTION, POSITIVE, SHARE, check_options, kind_and_options, look_up, require_kind
from .kernels import tables


class Formula(NamedTuple):
    """A loss as a plan refers to it: a row of the kernels' table, and its option."""

    name: str
    option: float = 0.0

    @property
    def score(self) -> str:
        """Name of the score that is computed with the loss."""
        return tables.LOSSES[tables.LOSS_CODES[self.name]].score


@dataclass(frozen=True)
class Loss:
    """Base of all losses.

    Attributes
    ----------
    name : str
        Name of the loss with its default options.
    low, high : float
        Range of the target values.
    """

    name: ClassVar[str] = ""
    low: ClassVar[float] = -math.inf
    high: ClassVar[float] = math.inf

    def __post_init__(self) -> None:
        check_options(self, _ACCEPTED)

    def formula(self, *, labels: bool) -> Formula:
        """The kernel for targets that are classes, or values."""
        return Formula(self.name)

    def values(self, outputs: np.ndarray) -> np.ndarray:
        """The predicted targets: the outputs themselves."""
        return outputs

    def config(self) -> dict[str, Any]:
        """Name and options, as a model file keeps them."""
        return {"name": self.name, **asdict(self)}


_ACCEPTED = {"label_smoothing": FRACTION, "delta": POSITIVE, "tau": SHARE}


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """-log softmax(z)[class]; of probabilities t, the sum of -t log softmax(z). The score is the accuracy.

    z are logits; in a network that ends in `softmax` or `log_softmax`, the inputs of that activation. Targets are
    classes, shape (samples,), or one-hot rows or probabilities, shape (samples, outputs).

    Parameters
    ----------
    label_smoothing : float
        The share s of the target that is spread over all K classes (Szegedy et al., 2016), in [0, 1): a class then
        has the probability 1 - s + s / K, the others s / K each.

    Examples
    --------
    >>> CrossEntropy(label_smoothing=0.1)
    CrossEntropy(label_smoothing=0.1)
    """

    label_smoothing: float = 0.0
    name: ClassVar[str] = "cross_entropy"
    low: ClassVar[float] = 0.0
    high: ClassVar[float] = 1.0

    def formula(self, *, labels: bool) -> Formula:
        """For probabilities, `as_targets` has smoothed the targets."""
        if not labels:
            return Formula("cross_entropy_of_shares")
        if self.label_smoothing:
            return Formula("smoothed_cross_entropy", self.label_smoothing)
        return Formula("cross_entropy")


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """Mean over the outputs of -t log s - (1 - t) log(1 - s) for s = sigmoid(z).

    For one output, or for several labels that are each true or false. z are logits; in a network that ends in
    `sigmoid`, the inputs of that activation. The score is the share of the outputs on the right side of 1/2.

    Parameters
    ----------
    label_smoothing : float
        s in [0, 1): a target t counts as t (1 - s) + s / 2.

    Examples
    --------
    >>> model = Sequential([Dense(1, "sigmoid", initializer="zeros")], loss=BinaryCrossEntropy()).build(1)
    >>> round(model.evaluate([[0.0]], [1])["loss"], 4)  # log 2
    0.6931
    """

    label_smoothing: float = 0.0
    name: ClassVar[str] = "binary_cross_entropy"
    low: ClassVar[float] = 0.0
    high: ClassVar[float] = 1.0


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """(y - t)^2. The score of this loss and of those below is the mean of |y - t|.

    Parameters
    ----------
    reduction : str
        How the losses of a sample's outputs are combined: their `mean` or their `sum`.

    Examples
    --------
    >>> model = Sequential([Dense(2, initializer="zeros")], loss=MeanSquaredError(reduction="sum")).build(1)
    >>> model.evaluate([[0.0]], [[1.0, 2.0]])["loss"]
    5.0
    """

    reduction: str = "mean"
    name: ClassVar[str] = "mean_squared_error"

    def __post_init__(self) -> None:
        look_up("MeanSquaredError: reduction", self.reduction, _SQUARED_ERRORS)

    def formula(self, *, labels: bool) -> Formula:
        """One row for each reduction."""
        return Formula(_SQUARED_ERRORS[self.reduction])


_SQUARED_ERRORS = {"mean": "mean_squared_error", "sum": "sum_squared_error"}


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    """Mean over the outputs of |y - t|; its gradient at 0 is 0.

    Examples
    --------
    >>> model = Sequential([Dense(1, initializer="zeros")], loss=MeanAbsoluteError()).build(1)
    >>> round(model.evaluate([[0.0]], [3.0])["loss"], 4)  # the output is 0
    3.0
    """

    name: ClassVar[str] = "mean_absolute_error"


@dataclass(frozen=True)
class Huber(Loss):
    """Mean over the outputs of (y - t)^2 / 2 where |y - t| is at most delta, else delta (|y - t| - delta / 2).

    Parameters
    ----------
    delta : float
        Where the parabola becomes a straight line (Huber, 1964), above 0.

    Examples
    --------
    >>> Huber(delta=2.0).config()
    {'name': 'huber', 'delta': 2.0}
    """

    delta: float = 1.0
    name: ClassVar[str] = "huber"

    def formula(self, *, labels: bool) -> Formula:
        """The option is delta."""
        return Formula(self.name, self.delta)


@dataclass(frozen=True)
class LogCosh(Loss):
    """Mean over the outputs of log cosh(y - t): a parabola near 0, straight lines far away.

    Examples
    --------
    >>> model = Sequential([Dense(1, initializer="zeros")], loss=LogCosh()).build(1)
    >>> round(model.evaluate([[0.0]], [1.0])["loss"], 4)  # log cosh(-1)
    0.4338
    """

    name: ClassVar[str] = "log_cosh"


@dataclass(frozen=True)
class Quantile(Loss):
    """Mean over the outputs of tau (t - y) where t is above y, else (1 - tau) (y - t).

    Its expected value is smallest at the tau-quantile of the targets (Koenker and Bassett, 1978).

    Parameters
    ----------
    tau : float
        Between 0 and 1; 0.5 is the median.

    Examples
    --------
    >>> model = Sequential([Dense(1, initializer="zeros")], loss=Quantile(tau=0.9)).build(1)
    >>> round(model.evaluate([[0.0]], [1.0])["loss"], 4)  # the output is 0
    0.9
    """

    tau: float = 0.5
    name: ClassVar[str] = "quantile"

    def formula(self, *, labels: bool) -> Formula:
        """The option is tau."""
        return Formula(self.name, self.tau)


@dataclass(frozen=True)
class Poisson(Loss):
    """Mean over the outputs of e^z - t z, for counts t from 0 on: the outputs z are logarithms of rates.

    This is the negative log-likelihood without the constant log t!, as in PyTorch's `PoissonNLLLoss` by default. Keras
    expects the rates themselves, which are `np.exp(model.predict(X))` here. The score is the mean of |e^z - t|.

    Examples
    --------
    >>> model = Sequential([Dense(1, initializer="zeros")], loss=Poisson()).build(1)
    >>> round(model.evaluate([[0.0]], [2.0])["loss"], 4)  # e^0 - 2 times 0
    1.0
    """

    name: ClassVar[str] = "poisson"
    low: ClassVar[float] = 0.0

    def values(self, outputs: np.ndarray) -> np.ndarray:
        """Rates."""
        return np.exp(outputs)


LOSSES: dict[str, type[Loss]] = {
    kind.name: kind
    for kind in (
        CrossEntropy,
        BinaryCrossEntropy,
        MeanSquaredError,
        MeanAbsoluteError,
        Huber,
        LogCosh,
        Quantile,
        Poisson,
    )
}
_BY_LAST_ACTIVATION: dict[str, type[Loss]] = {
    "softmax": CrossEntropy,
    "log_softmax": CrossEntropy,
    "sigmoid": BinaryCrossEntropy,
}


def choose_loss(given: str | Loss, last_activation: str) -> Loss:
    """A loss, or the one of this name with its defaults; `auto` is the one that goes with the last activation.

    Parameters
    ----------
    given : str or Loss
        A name, a loss, or `auto`: `cross_entropy` after softmax, `binary_cross_entropy` after sigmoid, else
        `mean_squared_error`.
    last_activation : str
        Name of the last layer's activation.

    Raises
    ------
    ValueError
        If the name is not known; the message lists the known ones.
    TypeError
        If it is a loss of a class that is derived from one of fastmlp's.

    Examples
    --------
    >>> choose_loss("auto", "softmax")
    CrossEntropy(label_smoothing=0.0)
    """
    if isinstance(given, Loss):
        require_kind(
            "loss", given, LOSSES.values(), "a loss of your own trains by forward, backward and step"
        )
        return given
    if given == "auto":
        return _BY_LAST_ACTIVATION.get(last_activation, MeanSquaredError)()
    return look_up("loss", given, LOSSES)()


def loss_from_config(config: str | dict[str, Any]) -> str | Loss:
    """The loss that `Loss.config` described; a name stays a name.

    Raises
    ------
    ValueError
        If a name or an option is not known.
    """
    if isinstance(config, str):
        return config
    kind, options = kind_and_options("loss", config, LOSSES, key="name")
    return kind(**options)
