"""When training ends, by the rule of scikit-learn; and the curves that its estimators have."""

from __future__ import annotations

import math

import numpy as np
from sklearn.base import BaseEstimator

from ..callbacks import Callback
from ..callbacks.stop_rule import NO_PROGRESS, Followed, Progress, StopRule
from ..kernels.schema import PENALISED_LOSS, VAL_SCORE
from ..model import Sequential
from . import options


class Convergence(Callback):
    """Keeps the curves of an estimator, and stops when too many epochs in a row were hardly better than the best one.

    The program follows the rule if it is about the loss or the score of the loss. R2 is a metric, which is measured in
    Python: `fit` trains one epoch at a time then, and the rule is followed here.

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
        self._progress = NO_PROGRESS
        self._best_weights: np.ndarray | None = None

    @property
    def _is_metric(self) -> bool:
        """Whether the score is a metric, which the program does not record."""
        return bool(self._score) and self._score != f"val_{self.metrics[1]}"

    def rule(self) -> StopRule:
        """The rule of scikit-learn; of a metric, one that ends nothing."""
        by_score = bool(self._score) and not self._is_metric
        return StopRule(
            quantity=VAL_SCORE if by_score else PENALISED_LOSS,
            sign=1 if by_score else -1,
            min_delta=0.0,
            tolerance=self._tol,
            inclusive=True,
            patience=math.inf if self._is_metric else self._patience,
            keeps_weights=by_score,
        )

    def progress(self) -> Progress:
        """How far the rule has come."""
        return NO_PROGRESS if self._is_metric else self._progress

    def on_train_begin(self) -> None:
        """Go on with the curves that are there, if it is the same model."""
        self._estimator._take_up(self.model)

    def follow(self, followed: Followed) -> None:
        """Add the epochs to the curves; stop if the last one was one too many."""
        self._note(followed)
        if self._is_metric:
            self._compare(followed.curves[self._score][-1])
        else:
            self._progress = followed.progress
            if self._score and followed.progress.best_epoch:
                self._best_weights = followed.best.copy()
        self.model.stop_training = self._progress.waited > self._patience

    def _compare(self, value: float) -> None:
        """The rule for one epoch, as the program has it."""
        best, waited = self._progress.best, self._progress.waited
        if value > best:
            self._best_weights = self.model.network.params.copy()
        self._progress = Progress(
            best=max(best, value), waited=0 if value >= best + self._tol else waited + 1
        )

    def on_train_end(self) -> None:
        """Go back to the weights with the best score."""
        if self._best_weights is not None:
            self.model.network.params[...] = self._best_weights

    def _note(self, followed: Followed) -> None:
        estimator = self._estimator
        estimator.n_iter_ += len(followed.penalised)
        estimator.loss_curve_ += followed.penalised
        estimator.loss_ = estimator.loss_curve_[-1]
        estimator.best_loss_ = None if self._score else min(estimator.loss_curve_)
        if self._score:
            scores = [*(estimator.validation_scores_ or ()), *followed.curves[self._score]]
            estimator.validation_scores_ = scores
            estimator.best_validation_score_ = max(scores)
