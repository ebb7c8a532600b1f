"""When the training of estimators ends: the rule runs in the program."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.datasets import load_diabetes, load_iris

from fastmlp.engine.training_run import TrainingRun
from fastmlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CURVES = ("loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_", "n_iter_", "loss_")
FITS = {
    "loss": (MLPClassifier, {"tol": 2e-3, "n_iter_no_change": 4}),
    "accuracy": (MLPClassifier, {"early_stopping": True, "n_iter_no_change": 5}),
    "r2": (MLPRegressor, {"early_stopping": True, "tol": 0.05, "n_iter_no_change": 4}),
    "values": (MLPRegressor, {"tol": 50.0, "n_iter_no_change": 3}),
}


def fitted(which, **options):
    kind, arguments = FITS[which]
    X, y = load_iris(return_X_y=True) if kind is MLPClassifier else load_diabetes(return_X_y=True)
    arguments = {"learning_rate_init": 0.01, "alpha": 0.1, "random_state": 3, **arguments, **options}
    return kind(20, **arguments).fit(X, y)


def stops_after(values, tol, patience):
    """The epoch after which scikit-learn's rule stops: a plain loop."""
    best, waited = -np.inf, 0
    for epoch, value in enumerate(values, 1):
        waited = 0 if value >= best + tol else waited + 1
        best = max(best, value)
        if waited > patience:
            return epoch
    raise AssertionError("it does not stop")


@pytest.mark.parametrize("which", FITS)
def test_training_stops_by_the_rule_of_scikit_learn(which):
    perceptron = fitted(which)
    values = perceptron.validation_scores_ or [-loss for loss in perceptron.loss_curve_]
    assert stops_after(values, perceptron.tol, perceptron.n_iter_no_change) == perceptron.n_iter_ < 200
    assert perceptron.n_iter_ == len(perceptron.loss_curve_) == perceptron.model_.epochs
    assert perceptron.model_.stop_training


@pytest.mark.parametrize("which", FITS)
def test_epochs_that_are_shown_one_by_one_are_the_same(which, capsys):
    silent, shown = fitted(which), fitted(which, verbose=True)
    assert capsys.readouterr().err.count("epoch ") == shown.n_iter_
    assert all(getattr(silent, name) == getattr(shown, name) for name in CURVES)
    assert np.array_equal(silent.model_.network.params, shown.model_.network.params)


@pytest.mark.parametrize("which", ["loss", "accuracy", "values"])
def test_all_epochs_are_one_run_of_the_program(which, monkeypatch):
    started = []
    run = TrainingRun.run
    monkeypatch.setattr(TrainingRun, "run", lambda self, *given: started.append(run(self, *given)))
    fitted(which)
    assert len(started) == 1


def test_the_curve_has_the_penalty_of_each_epoch():
    perceptron = fitted("loss", max_iter=1, n_iter_no_change=np.inf)
    weights = sum(np.square(layer.weight.astype(float)).sum() for layer in perceptron.model_.layers)
    expected = perceptron.model_.history["loss"][-1] + 0.1 / (2 * 150) * weights
    assert perceptron.loss_ == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("which", "curve"), [("accuracy", "val_accuracy"), ("r2", "val_r2")])
def test_the_weights_of_the_best_epoch_are_kept(which, curve):
    perceptron = fitted(which)
    scores = perceptron.validation_scores_
    assert scores == perceptron.model_.history[curve]
    best = fitted(which, max_iter=int(np.argmax(scores)) + 1, n_iter_no_change=np.inf)
    assert np.array_equal(perceptron.model_.network.params, best.model_.network.params)
