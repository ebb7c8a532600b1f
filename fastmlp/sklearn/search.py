"""A cross-validated search over arguments of the estimators, whose fits are all trained at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv
from sklearn.utils import indexable

from ..inputs.splits import rows_of
from ..many import run_jobs
from ..training.fit_arguments import check_verbose
from .classifier import MLPClassifier
from .perceptron import Perceptron
from .preparation import Prepared
from .regressor import MLPRegressor

Outcome = Perceptron | Exception  # an estimator that is fitted, or why it is not


def grid_search(
    estimator: MLPClassifier | MLPRegressor,
    param_grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Sequence[Any]]],
    X: Any,
    y: Any,
    *,
    cv: Any = None,
    scoring: Any = None,
    refit: Any = True,
    error_score: Any = np.nan,
    return_train_score: bool = False,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    threads: int | None = None,
    verbose: int = 0,
) -> GridSearchCV:
    """What `GridSearchCV(estimator, param_grid, ...).fit(X, y)` gives, with all networks trained at once.

    Each core trains whole networks, the longest first, as `fit_many` does; then scikit-learn scores them. Each network
    has the bits that a `fit` of its own would give it.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        One of this package; `GridSearchCV` itself searches pipelines and other estimators.
    param_grid : dict of str to sequence, or sequence of them
        The values to try of each argument, such as `{"alpha": [0.0001, 0.01], "hidden_layer_sizes": [(20,), (50,)]}`.
    X, y
        As `fit` of the estimator takes them. Each training part is copied once, for all candidates together.
    cv, scoring, refit, error_score, return_train_score
        As `GridSearchCV` takes them. The best estimator is fitted again with its own `threads`.
    groups : array_like, shape (samples,), optional
        For splitters that keep groups of samples together.
    sample_weight : array_like, shape (samples,), optional
        For training only, as in `GridSearchCV`.
    threads : int, optional
        How many networks are trained at once; None: as many as there are cores.
    verbose : int
        0: silent; 1: a progress bar over networks on a terminal and a line at the end; 2: the line at the end.

    Returns
    -------
    GridSearchCV
        Fitted: with `cv_results_`, `best_params_`, `best_score_`, and, with `refit`, `best_estimator_` and `predict`.
        The fit times of `cv_results_` are the seconds that one thread spent on the epochs of a fit.

    Raises
    ------
    TypeError
        If the estimator is not one of this package.
    ValueError
        If an argument is not acceptable, or all fits fail.
    KeyboardInterrupt
        After Ctrl-C.

    Warns
    -----
    FitFailedWarning
        If some fits fail, because arguments do not fit or training diverges: their scores are `error_score`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> perceptron = MLPClassifier(16, early_stopping=True, random_state=0)
    >>> search = grid_search(perceptron, {"learning_rate_init": [0.001, 0.03]}, X, y)
    >>> search.best_params_
    {'learning_rate_init': 0.03}
    >>> search.predict(X[:2]).shape
    (2,)
    """
    if type(estimator) not in (MLPClassifier, MLPRegressor):
        raise TypeError(
            "grid_search: estimator: expected an MLPClassifier or MLPRegressor of fastmlp.sklearn, got "
            f"{type(estimator).__name__}; GridSearchCV searches all others, pipelines among them"
        )
    check_verbose(verbose)
    X, y, groups = indexable(X, y, groups)
    splits = list(check_cv(cv, y, classifier=is_classifier(estimator)).split(X, y, groups))
    weighted = {} if sample_weight is None else {"sample_weight": np.asarray(sample_weight)}
    prepared = list(_prepare_all(estimator, ParameterGrid(param_grid), splits, X, y, weighted))
    outcomes = _train_all(prepared, threads, verbose)
    search = GridSearchCV(
        _replaying(estimator, iter(outcomes)), param_grid, cv=splits, scoring=scoring, refit=refit, n_jobs=1,
        error_score=error_score, return_train_score=return_train_score,
    )  # fmt: skip
    search.fit(X, y, **weighted)
    seconds = np.array([_seconds(each) for each in prepared]).reshape(-1, len(splits))
    search.cv_results_ |= {"mean_fit_time": seconds.mean(axis=1), "std_fit_time": seconds.std(axis=1)}
    return _without_replay(search, estimator, cv)


def _prepare_all(
    estimator: Perceptron,
    candidates: ParameterGrid,
    splits: list[tuple[np.ndarray, np.ndarray]],
    X: Any,
    y: Any,
    weighted: dict[str, np.ndarray],
) -> Iterator[tuple[Perceptron, Prepared | Exception]]:
    """An estimator for each candidate and split, in the order of `GridSearchCV`, with what it trains."""
    parts = [
        (rows_of(X, train), rows_of(y, train), {name: array[train] for name, array in weighted.items()})
        for train, _ in splits
    ]
    for candidate in candidates:
        described = clone(estimator).set_params(**clone(candidate, safe=False))
        for X_train, y_train, weights in parts:
            fresh = deepcopy(described)  # a clone costs ten times as much
            try:
                yield fresh, fresh._prepare(X_train, y_train, **weights)
            except Exception as error:  # scikit-learn reports it when it asks for this fit
                yield fresh, error


def _train_all(
    prepared: list[tuple[Perceptron, Prepared | Exception]], threads: int | None, verbose: int
) -> list[Outcome]:
    """Train the networks of all estimators, each on one thread."""
    jobs = [job for _, each in prepared if isinstance(each, Prepared) for job in each.jobs]
    diverged, first = run_jobs(jobs, threads, verbose), 0
    outcomes: list[Outcome] = []
    for fitted, each in prepared:
        if isinstance(each, Exception):
            outcomes.append(each)
            continue
        own = range(first, first + len(each.jobs))
        first = own.stop
        try:
            each.ensemble.note_diverged(
                {place - own.start: diverged[place] for place in own if place in diverged}
            )
            outcomes.append(fitted)
        except ArithmeticError as error:
            outcomes.append(error)
    return outcomes


def _seconds(prepared: tuple[Perceptron, Prepared | Exception]) -> float:
    """How long all epochs of an estimator took."""
    _, each = prepared
    if isinstance(each, Exception):
        return 0.0
    return sum(sum(history["seconds"]) for history in each.ensemble.histories if len(history))


def _replaying(estimator: Perceptron, outcomes: Iterator[Outcome]) -> Perceptron:
    """The same estimator, whose clones take the next outcome when they are fitted, and train when there is none left.

    `GridSearchCV` with one process fits its clones one after another, each candidate on all splits.
    """
    kind = type(estimator)

    class Replaying(kind):  # type: ignore[misc, valid-type]
        def __sklearn_clone__(self) -> Any:
            return deepcopy(self)

        def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Any:
            outcome = next(outcomes, None)
            if outcome is None:
                return super().fit(X, y, sample_weight)
            if isinstance(outcome, Exception):
                raise outcome
            self.__dict__.update(vars(outcome))
            self._warn_unless_converged()
            return self

    Replaying.__name__ = Replaying.__qualname__ = kind.__name__
    replaying = Replaying()
    replaying.__dict__.update(vars(clone(estimator)))  # arguments, and what metadata `fit` asks for
    return replaying


def _without_replay(search: GridSearchCV, estimator: Perceptron, cv: Any) -> GridSearchCV:
    """The search as if it had fitted the estimator itself."""
    search.set_params(estimator=estimator, cv=cv, n_jobs=None)
    if hasattr(search, "best_estimator_"):
        best = clone(estimator)
        vars(best).update(vars(search.best_estimator_))
        search.best_estimator_ = best
    if search.scoring is None:
        search.scorer_ = check_scoring(estimator)
    return search
