"""Values as an estimator of scikit-learn."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d

from ..ensemble import deviation_of, mean_of
from ..losses import LOSSES, BinaryCrossEntropy, CrossEntropy, Loss, MeanSquaredError, Poisson
from .perceptron import Perceptron


def _flat(values: np.ndarray) -> np.ndarray:
    """Shape (samples,) where there is one output."""
    return values[:, 0] if values.shape[1] == 1 else values


_OF_CLASSES = (CrossEntropy.name, BinaryCrossEntropy.name)


class MLPRegressor(RegressorMixin, Perceptron):
    """A multilayer perceptron for values, as an estimator of scikit-learn.

    As scikit-learn's, it does not scale targets: those of the size of 1 are learnt soonest, and
    `TransformedTargetRegressor` of scikit-learn can bring them there.

    Parameters
    ----------
    hidden_layer_sizes, activation, ...
        As for `Perceptron`. `loss` may be `auto` or `squared_error`, half the sum over the outputs; `poisson`; any
        other of fastmlp, such as `mean_absolute_error`, `huber` or `Quantile(0.9)`.

    Attributes
    ----------
    model_ : Sequential
        The model itself, for instance to save it.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.
    n_iter_ : int
        Epochs of the last `fit` or `partial_fit`; `model_.epochs` are all.
    loss_curve_ : list of float
        Mean loss of each epoch so far, with the penalty that its end had.
    loss_, best_loss_ : float
        The last and the least of them; with `early_stopping`, there is no best one.
    validation_scores_, best_validation_score_
        R2 of each epoch on the samples set aside, and the highest; None without `early_stopping`.
    coefs_, intercepts_ : list of ndarray
        Weights and biases: views.
    ensemble_ : Ensemble
        All networks, of which `model_` is the first. Where there are several (`n_members`), the other attributes are
        about that one, and `ensemble_.histories` has the curves of all.
    n_layers_, n_outputs_ : int
    out_activation_ : str
        `identity`: also of `poisson`, whose outputs are logarithms of what is predicted.

    Examples
    --------
    >>> from sklearn.compose import TransformedTargetRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_diabetes(return_X_y=True)
    >>> perceptron = MLPRegressor(32, alpha=1.0, random_state=1, early_stopping=True)
    >>> model = TransformedTargetRegressor(perceptron, transformer=StandardScaler()).fit(X * 20, y)
    >>> model.score(X * 20, y) > 0.5
    True
    """

    _score: ClassVar[str] = "r2"
    _metrics: ClassVar[tuple[str, ...]] = ("r2",)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def partial_fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train one epoch on these samples, going on with the model that is there.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        self
        """
        return self._train_some(X, y, sample_weight)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """The values; of several members, the mean of theirs.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (samples, features)
        return_std : bool
            Whether to return the standard deviation of the members' values too, as `GaussianProcessRegressor` does.

        Returns
        -------
        values : ndarray, shape (samples,), or (samples, outputs) of several
        deviations : ndarray of the same shape
            Only with `return_std`: how far the members disagree, 0 of a single one. The noise of the data is no part
            of it.
        """
        if not return_std and not self._has_members():
            outputs = self._outputs(X)
            return _flat(self.model_.loss.values(outputs))
        outputs = self._outputs_of_members(X)
        values = self.model_.loss.values(outputs)
        mean = _flat(mean_of(values))
        return (mean, _flat(deviation_of(values))) if return_std else mean

    # What `Perceptron` asks

    def _learn_targets(self, y: Any, classes: np.ndarray | None) -> np.ndarray:
        targets = column_or_1d(y, warn=True) if y.ndim == 1 or y.shape[1] == 1 else y
        return targets.astype(np.float64).reshape(len(targets), -1)

    def _output_layer(self, targets: np.ndarray) -> tuple[int, str]:
        return targets.shape[1], "identity"

    def _losses(self, units: int, last: str) -> dict[str, tuple[Loss, float]]:
        squared_error = MeanSquaredError(reduction="sum"), 0.5
        others = {name: (kind(), 1.0) for name, kind in LOSSES.items() if name not in _OF_CLASSES}
        return (
            {"auto": squared_error, "squared_error": squared_error}
            | others
            | {"poisson": (Poisson(), float(units))}
        )
