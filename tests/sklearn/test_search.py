"""`grid_search` gives what GridSearchCV gives."""

import os
import pickle
import signal
import threading
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import pandas
import scipy.sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.neural_network import MLPClassifier as Other
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from fastmlp.sklearn import MLPClassifier, MLPRegressor, grid_search

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
GRID = {"hidden_layer_sizes": [(4,), (12,)], "learning_rate_init": [0.01, 0.05], "batch_size": [20, "auto"]}


def classifier(**options):
    return MLPClassifier(**{"hidden_layer_sizes": (6,), "max_iter": 8, "random_state": 1} | options)


def regressor(**options):
    return MLPRegressor(**{"hidden_layer_sizes": (6,), "max_iter": 8, "random_state": 1} | options)


def assert_same(found, expected):
    """All but times."""
    timeless = [name for name in expected.cv_results_ if "time" not in name]
    assert found.cv_results_.keys() == expected.cv_results_.keys()
    for name in timeless:
        assert np.array_equal(
            np.asarray(found.cv_results_[name]), np.asarray(expected.cv_results_[name])
        ) or np.allclose(found.cv_results_[name], expected.cv_results_[name], rtol=0, atol=0, equal_nan=True)
    for name in ("best_params_", "best_score_", "best_index_", "n_splits_", "multimetric_"):
        assert getattr(found, name, None) == getattr(expected, name, None)


def both(estimator, grid, X, y, fit=None, **options):
    fit = fit or {}
    expected = GridSearchCV(clone(estimator), grid, **options).fit(X, y, **fit)
    return grid_search(estimator, grid, X, y, **options, **fit), expected


SEARCHES = {
    "classes": lambda: both(classifier(), GRID, *IRIS),
    "values": lambda: both(regressor(), {"alpha": [0.1, 1.0], "loss": ["huber", "squared_error"]}, *DIABETES, cv=3),
    "early stopping": lambda: both(classifier(early_stopping=True, max_iter=40), {"tol": [0.01, 0.1]}, *IRIS),
    "early stopping by r2": lambda: both(regressor(early_stopping=True), {"alpha": [0.1, 1.0]}, *DIABETES, cv=2),
    "members": lambda: both(classifier(), {"n_members": [1, 3]}, *IRIS, cv=2),
    "two grids": lambda: both(
        classifier(), [{"alpha": [0.1, 1.0]}, {"activation": ["tanh"], "max_iter": [2, 5]}], *IRIS, cv=3
    ),
    "shuffled": lambda: both(classifier(), {"alpha": [0.1]}, *IRIS, cv=KFold(4, shuffle=True, random_state=3)),
    "groups": lambda: both(
        classifier(), {"alpha": [0.1, 0.2]}, *IRIS, cv=GroupKFold(3), fit={"groups": np.arange(150) % 7}
    ),
    "weights": lambda: both(
        classifier(), {"alpha": [0.1]}, *IRIS, cv=2, fit={"sample_weight": np.linspace(0, 2, 150)}
    ),
    "names": lambda: both(classifier(), {"alpha": [0.1]}, IRIS[0], np.array(["x", "a", "b"])[IRIS[1]], cv=2),
    "a stream of numbers": lambda: both(
        classifier(random_state=np.random.RandomState(3)), {"alpha": [0.1, 1.0]}, *IRIS, cv=2
    ),
    "lists": lambda: both(classifier(), {"alpha": [0.1]}, IRIS[0].tolist(), IRIS[1].tolist(), cv=2),
    "sparse": lambda: both(classifier(), {"alpha": [0.1]}, scipy.sparse.coo_matrix(IRIS[0]), IRIS[1], cv=2),
    "frame": lambda: both(
        classifier(), {"alpha": [0.1]}, pandas.DataFrame(IRIS[0], columns=list("abcd")), IRIS[1], cv=2
    ),
    "scoring": lambda: both(
        classifier(), {"alpha": [0.1, 1.0]}, *IRIS, cv=2, scoring=["accuracy", "f1_macro"], refit="f1_macro",
        return_train_score=True,
    ),
    "one score": lambda: both(classifier(), {"alpha": [0.1, 1.0]}, *IRIS, cv=2, scoring="f1_macro", refit=False),
}  # fmt: skip


@pytest.mark.parametrize("which", SEARCHES)
def test_results_are_those_of_grid_search_cv(which):
    found, expected = SEARCHES[which]()
    assert_same(found, expected)
    if not expected.refit:
        assert not hasattr(found, "best_estimator_")
        return
    assert type(found.best_estimator_) is type(expected.best_estimator_)
    assert clone(found.best_estimator_).get_params().keys() == expected.best_estimator_.get_params().keys()
    assert repr(found.best_estimator_).split(" at 0x")[0] == repr(expected.best_estimator_).split(" at 0x")[0]
    for one, other in zip(found.best_estimator_.ensemble_, expected.best_estimator_.ensemble_, strict=True):
        assert np.array_equal(one.network.params, other.network.params)


def test_the_search_can_be_used_and_kept():
    X, y = IRIS
    estimator = classifier(max_iter=40)
    search = grid_search(estimator, {"learning_rate_init": [0.0001, 0.05]}, X, y, cv=3)
    assert search.estimator is estimator
    assert search.cv == 3
    assert not hasattr(estimator, "model_")
    check_is_fitted(search)
    restored = pickle.loads(pickle.dumps(search))  # noqa: S301
    assert np.array_equal(search.predict_proba(X), restored.predict_proba(X))
    assert search.score(X, y) == restored.score(X, y) == (search.predict(X) == y).mean()
    again = clone(search).fit(X, y)
    assert_same(again, search)


def test_fit_times_are_those_of_the_epochs():
    search = grid_search(classifier(), {"max_iter": [1, 2000], "n_iter_no_change": [np.inf]}, *IRIS, cv=2)
    few, many = search.cv_results_["mean_fit_time"]
    assert 0 < few < many


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_fits_that_fail_have_the_score_of_errors():
    grid = {"learning_rate_init": [0.01, 1e30, -1.0], "solver": ["sgd"]}
    with pytest.warns(FitFailedWarning, match="4 fits failed out of a total of 6"):
        found = grid_search(regressor(), grid, *DIABETES, cv=2)
    with pytest.warns(FitFailedWarning):
        expected = GridSearchCV(regressor(), grid, cv=2).fit(*DIABETES)
    assert_same(found, expected)
    assert np.isnan(found.cv_results_["mean_test_score"]).tolist() == [False, True, True]
    with pytest.raises(ValueError, match="learning_rate_init: expected"):
        grid_search(regressor(), {"learning_rate_init": [-1.0]}, *DIABETES, cv=2, error_score="raise")
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        grid_search(regressor(), {"learning_rate_init": [-1.0]}, *DIABETES, cv=2)


@pytest.mark.parametrize(
    ("estimator", "grid", "options", "message"),
    [
        (make_pipeline(StandardScaler(), MLPClassifier()), {}, {}, "expected an MLPClassifier or MLPRegressor"),
        (Other(), {}, {}, "got MLPClassifier; GridSearchCV"),
        (MLPClassifier, {}, {}, "expected an MLPClassifier"),
        (classifier(), {"units": [3]}, {}, "units"),
        (classifier(), {"alpha": 0.1}, {}, "alpha"),
        (classifier(), {"alpha": [0.1]}, {"verbose": 3}, "verbose: expected 0, 1 or 2"),
        (classifier(), {"alpha": [0.1]}, {"threads": 0}, "threads"),
        (classifier(), {"alpha": [0.1]}, {"cv": 1}, "n_splits"),
    ],
)  # fmt: skip
def test_what_is_refused(estimator, grid, options, message):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((ValueError, TypeError), match=message):
            grid_search(estimator, grid, *IRIS, **options)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads_gives_the_same_results(threads):
    found = grid_search(classifier(), {"alpha": [0.1, 1.0]}, *IRIS, threads=threads, cv=3)
    expected = grid_search(classifier(), {"alpha": [0.1, 1.0]}, *IRIS, cv=3)
    assert_same(found, expected)


def test_metadata_routing():
    weights = np.linspace(0, 2, 150)
    with config_context(enable_metadata_routing=True):
        estimator = classifier().set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        assert_same(*both(estimator, {"alpha": [0.1]}, *IRIS, cv=2, fit={"sample_weight": weights}))


@pytest.mark.survives("R27")
def test_ctrl_c_ends_the_search():
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    endless = classifier(max_iter=10**7, n_iter_no_change=np.inf, batch_size=5)
    with pytest.raises(KeyboardInterrupt):
        grid_search(endless, {"alpha": [0.1, 1.0]}, *IRIS)
    assert grid_search(classifier(), {"alpha": [0.1]}, *IRIS).predict(IRIS[0]).shape == (150,)
