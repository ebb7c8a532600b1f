"""When training ends, by the rule of scikit-learn; and the curves that its estimators have."""

from __future__ import annotations

import math

import numpy as np
from sklearn.base import BaseEstimator

from ..callbacks import Callback
from ..callbacks.stop_rule import NO_PROGRESS, Followed, Progress, StopRule
from ..ensemble import Ensemble
from ..kernels.schema import PENALISED_LOSS, VAL_SCORE
from ..model import Sequential
from . import options


class Convergence(Callback):
    """Stops when too many epochs in a row were hardly better than the best one.

    The program follows the rule if it is about the loss or the score of the loss. R2 is a metric, which is measured in
    Python: `fit` trains one epoch at a time then, and the rule is followed here.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Whose arguments `tol` and `n_iter_no_change` are the rule's.
    score : str
        The quantity of the history that tells the best epoch, whose weights are kept; if empty, the loss does.
    """

    model: Sequential

    def __init__(self, estimator: BaseEstimator, score: str) -> None:
        self._score = score
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

    def follow(self, followed: Followed) -> None:
        """Stop if the last epoch was one too many."""
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


class Curves(Convergence):
    """The same for the first model of an estimator, whose curves it keeps.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Whose attributes are filled: `n_iter_`, `loss_`, `loss_curve_`, `best_loss_`, `validation_scores_`,
        `best_validation_score_`.
    score : str
        As for `Convergence`.
    ensemble : Ensemble
        The estimator's models.
    """

    def __init__(self, estimator: BaseEstimator, score: str, ensemble: Ensemble) -> None:
        super().__init__(estimator, score)
        self._estimator, self._ensemble = estimator, ensemble

    def on_train_begin(self) -> None:
        """Go on with the curves that are there, if they are the same models."""
        self._estimator._take_up(self._ensemble)

    def follow(self, followed: Followed) -> None:
        """Add the epochs to the curves as well."""
        self._note(followed)
        super().follow(followed)

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
