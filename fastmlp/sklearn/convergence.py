"""When training ends, by the rule of scikit-learn; and the curves that its estimators have."""

from __future__ import annotations

import math

import numpy as np
from sklearn.base import BaseEstimator

from ..callbacks import Callback, Logs
from ..layers import Dense
from ..model import Sequential
from . import options


class Convergence(Callback):
    """Keeps the curves of an estimator, and stops when too many epochs in a row were hardly better than the best one.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Whose attributes are filled: `n_iter_`, `loss_`, `loss_curve_`, `best_loss_`, `validation_scores_`,
        `best_validation_score_`.
    score : str
        The quantity of the history that tells the best epoch, whose weights are kept; if empty, the loss does.
    """

    model: Sequential

    def __init__(self, estimator: BaseEstimator, score: str) -> None:
        self._estimator, self._score = estimator, score
        self._tol, self._patience = options.number(estimator, "tol"), options.patience(estimator)
        self._best, self._waited = -math.inf, 0
        self._best_weights: np.ndarray | None = None

    def on_train_begin(self) -> None:
        """Go on with the curves that are there, if it is the same model."""
        self._estimator._take_up(self.model)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Add the epoch to the curves; stop if it was one too many."""
        self._note(logs)
        value = logs[self._score] if self._score else -self._estimator.loss_
        self._waited = 0 if value >= self._best + self._tol else self._waited + 1
        if value > self._best:
            self._best = value
            if self._score:
                self._best_weights = self.model.network.params.copy()
        self.model.stop_training = self._waited > self._patience

    def on_train_end(self) -> None:
        """Go back to the weights with the best score."""
        if self._best_weights is not None:
            self.model.network.params[...] = self._best_weights

    def _note(self, logs: Logs) -> None:
        estimator = self._estimator
        estimator.n_iter_ += 1
        estimator.loss_ = logs["loss"] + self._penalty()
        estimator.loss_curve_.append(estimator.loss_)
        estimator.best_loss_ = None if self._score else min(estimator.loss_curve_)
        if self._score:
            estimator.validation_scores_ = [*(estimator.validation_scores_ or ()), logs[self._score]]
            estimator.best_validation_score_ = max(estimator.validation_scores_)

    def _penalty(self) -> float:
        """What alpha adds to the loss."""
        return sum(
            layer.regularizer.penalty(layer.weight)
            for layer in self.model.layers
            if isinstance(layer, Dense) and layer.regularizer is not None
        )
