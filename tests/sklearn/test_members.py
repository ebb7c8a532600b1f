"""Estimators of several networks."""

import copy
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris

from fastmlp import Ensemble, TrainingDiverged
from fastmlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)


def classifier(**options):
    return MLPClassifier(
        **{"hidden_layer_sizes": 6, "max_iter": 5, "random_state": 1, "n_members": 3} | options
    )


def regressor(**options):
    return MLPRegressor(
        **{"hidden_layer_sizes": 6, "max_iter": 5, "random_state": 1, "n_members": 3} | options
    )


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}], ids=["loss", "early stopping"])
@pytest.mark.parametrize(
    ("make", "data"), [(classifier, IRIS), (regressor, DIABETES)], ids=["classes", "values"]
)
def test_the_first_network_is_that_of_a_lone_one(make, data, options):
    several, lone = make(**options).fit(*data), make(n_members=1, **options).fit(*data)
    assert isinstance(several.ensemble_, Ensemble)
    assert len(several.ensemble_) == 3
    assert len(lone.ensemble_) == 1
    assert several.model_ is several.ensemble_[0]
    assert len({model.seed for model in several.ensemble_}) == 3
    assert np.array_equal(several.model_.network.params, lone.model_.network.params)
    for name in (
        "n_iter_",
        "loss_",
        "loss_curve_",
        "best_loss_",
        "validation_scores_",
        "best_validation_score_",
    ):
        assert getattr(several, name) == getattr(lone, name)
    assert all(np.array_equal(*weights) for weights in zip(several.coefs_, lone.coefs_, strict=True))


def test_probabilities_are_means():
    perceptron = classifier().fit(*IRIS)
    X = IRIS[0].astype("float32")
    members = [model.predict(X).astype(float) for model in perceptron.ensemble_]
    assert perceptron.predict_proba(X) == pytest.approx(np.mean(members, axis=0), abs=1e-6)
    assert np.array_equal(perceptron.predict(X), perceptron.predict_proba(X).argmax(axis=1))
    assert np.array_equal(perceptron.predict_proba(X[:1]), perceptron.predict_proba(X)[:1])
    two = classifier().fit(X[:100], np.array(["a", "b"])[IRIS[1][:100]])
    assert two.predict_proba(X).sum(axis=1) == pytest.approx(1)
    assert set(two.predict(X)) <= {"a", "b"}


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_values_have_deviations(loss):
    X, y = DIABETES
    perceptron = regressor(loss=loss).fit(X, y / 100)
    members = [perceptron.model_.loss.values(model.predict(X))[:, 0] for model in perceptron.ensemble_]
    values, deviations = perceptron.predict(X, return_std=True)
    assert np.array_equal(values, perceptron.predict(X))
    assert values == pytest.approx(np.mean(members, axis=0), rel=1e-5)
    assert deviations == pytest.approx(np.std(members, axis=0), abs=1e-5)
    lone = regressor(n_members=1).fit(X, y)
    values, deviations = lone.predict(X, return_std=True)
    assert np.array_equal(values, lone.predict(X))
    assert deviations.shape == values.shape
    assert not deviations.any()
    both = regressor().fit(X, np.stack([y, -y], axis=1))
    assert [each.shape for each in both.predict(X[:7], return_std=True)] == [(7, 2), (7, 2)]


def test_members_go_on():
    X, y = IRIS
    at_once = classifier(max_iter=6).fit(X, y)
    in_parts = classifier(max_iter=3, warm_start=True).fit(X, y).fit(X, y)
    assert np.array_equal(at_once.predict_proba(X), in_parts.predict_proba(X))
    assert at_once.loss_curve_ == in_parts.loss_curve_
    some = classifier().partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X, y)
    assert [model.epochs for model in some.ensemble_] == [2, 2, 2]
    with pytest.raises(ValueError, match="n_members: expected 3 as in the fit that goes on, got 2"):
        in_parts.set_params(n_members=2).fit(X, y)


def test_copies_and_clones():
    perceptron = classifier().fit(*IRIS)
    copied = copy.deepcopy(perceptron)
    assert copied.model_ is copied.ensemble_[0]
    assert np.array_equal(copied.predict_proba(IRIS[0]), perceptron.predict_proba(IRIS[0]))
    assert clone(perceptron).n_members == 3


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads_gives_the_same_bits(threads):
    expected = classifier().fit(*IRIS).predict_proba(IRIS[0])
    assert np.array_equal(classifier(threads=threads).fit(*IRIS).predict_proba(IRIS[0]), expected)


def test_divergence():
    with pytest.raises(TrainingDiverged):
        regressor(solver="sgd", learning_rate_init=1e30).fit(*DIABETES)


@pytest.mark.parametrize("members", [0, 2.5, "two", None])
def test_numbers_that_are_refused(members):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(
            ValueError, match="MLPClassifier: n_members: expected a whole number of at least 1"
        ):
            classifier(n_members=members).fit(*IRIS)


def test_progress_is_over_members(capsys):
    classifier(verbose=True).fit(*IRIS)
    assert "3 models in" in capsys.readouterr().err
