"""The estimators and scikit-learn's own: from the same weights and in the same order they take the same steps."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import sklearn.neural_network as theirs
from sklearn.exceptions import ConvergenceWarning

import fastmlp.sklearn as ours
from fastmlp import Sequential
from fastmlp.layers import layer_from_config

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 5))
TARGETS = {
    "two classes": ("MLPClassifier", (X[:, 0] > X[:, 1]).astype(int)),
    "three classes": ("MLPClassifier", np.array(["a", "b", "c"])[np.digitize(X[:, 0], (-0.5, 0.5))]),
    "labels": ("MLPClassifier", (X[:, :3] > 0).astype(int)),
    "values": ("MLPRegressor", X[:, 0] * X[:, 1]),
    "two outputs": ("MLPRegressor", X[:, :2] ** 2),
    "counts": ("MLPRegressor", np.round(np.exp(X[:, 0]))),
}
OPTIONS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "adam, other betas": {"solver": "adam", "beta_1": 0.8, "beta_2": 0.99},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.1},
    "sgd, classical momentum": {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.7},
    "sgd, no momentum": {"solver": "sgd", "momentum": 0.0},
    "tanh": {"activation": "tanh", "hidden_layer_sizes": (6, 4)},
    "logistic, batches": {"activation": "logistic", "batch_size": 20},
    "identity, one number": {"activation": "identity", "hidden_layer_sizes": 3},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "strong penalty": {"alpha": 3.0, "batch_size": 20},
}
EPOCHS = 8


def initial_arrays(model, features):
    """What the training of a model started from."""
    layers = [layer_from_config(layer.config()) for layer in model.layers]
    model = Sequential(layers, loss=model.loss, seed=model.seed, dtype=model.dtype).build(features)
    return [[layer.parameters[name] for layer in model.layers] for name in ("weight", "bias")]


def train_theirs(kind, arguments, y, weights, arrays):
    """Their estimator, trained from these weights."""
    estimator = getattr(theirs, kind)(**arguments, max_iter=1, warm_start=True).fit(X, y, **weights)
    for name, initial in zip(("coefs_", "intercepts_"), arrays, strict=True):
        for array, value in zip(getattr(estimator, name), initial, strict=True):
            array[...] = value
    estimator.loss_curve_ = []
    return estimator.set_params(max_iter=EPOCHS).fit(X, y, **weights)


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("task", TARGETS)
def test_the_same_steps(task, options, weighted):
    kind, y = TARGETS[task]
    arguments = {
        "hidden_layer_sizes": (6,), "shuffle": False, "random_state": 3, "n_iter_no_change": EPOCHS,
        "epsilon": 1e-14,  # which theirs adds before it corrects the root
    } | options  # fmt: skip
    if task == "counts":
        arguments |= {"loss": "poisson"}
    # One batch, so that its weights have the mean of all.
    weights = {"sample_weight": RANDOM.uniform(0.5, 2, len(X))} if weighted else {}
    if weighted:
        arguments |= {"batch_size": len(X)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mine = getattr(ours, kind)(**arguments, max_iter=EPOCHS, dtype="float64").fit(X, y, **weights)
        his = train_theirs(kind, arguments, y, weights, initial_arrays(mine.model_, X.shape[1]))
    assert [w.shape for w in mine.coefs_] == [w.shape for w in his.coefs_]
    for name in ("coefs_", "intercepts_"):
        for array, wanted in zip(getattr(mine, name), getattr(his, name), strict=True):
            np.testing.assert_allclose(array, wanted, rtol=1e-6, atol=1e-9)
    predict = "predict_proba" if kind == "MLPClassifier" else "predict"
    np.testing.assert_allclose(getattr(mine, predict)(X), getattr(his, predict)(X), rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(mine.predict(X[:3]).shape, his.predict(X[:3]).shape)
    assert (mine.n_iter_, mine.n_layers_, mine.n_outputs_) == (his.n_iter_, his.n_layers_, his.n_outputs_)


@pytest.mark.parametrize("task", ["two classes", "three classes", "labels", "values"])
def test_the_same_loss(task):
    """With small steps, as theirs has the penalty of each batch and ours that of the end of the epoch."""
    kind, y = TARGETS[task]
    arguments = {
        "hidden_layer_sizes": (6,), "shuffle": False, "random_state": 3, "learning_rate_init": 1e-6, "alpha": 2.0,
        "n_iter_no_change": EPOCHS,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mine = getattr(ours, kind)(**arguments, max_iter=EPOCHS).fit(X, y)
        his = train_theirs(kind, arguments, y, {}, initial_arrays(mine.model_, X.shape[1]))
    np.testing.assert_allclose(mine.loss_curve_, his.loss_curve_, rtol=1e-4)
    assert mine.best_loss_ == min(mine.loss_curve_) and mine.loss_ == mine.loss_curve_[-1]


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.parametrize("activation", ["relu", "logistic"])
def test_initial_weights_are_as_large(kind, activation):
    """Uniform between the same limits: the largest of many come close, and the mean of their sizes is half of that."""
    y = np.arange(len(X)) % 2
    arguments = {
        "hidden_layer_sizes": (400, 300),
        "activation": activation,
        "learning_rate_init": 1e-9,
        "max_iter": 1,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mine, his = (getattr(each, kind)(**arguments, random_state=1).fit(X, y) for each in (ours, theirs))
    for estimator in (mine, his):
        for place, fans in enumerate((5 + 400, 400 + 300)):
            limit = np.sqrt((2 if activation == "logistic" else 6) / fans)
            weights, biases = np.abs(estimator.coefs_[place]), np.abs(estimator.intercepts_[place])
            assert 0.98 * limit < weights.max() < 1.0001 * limit
            assert 0.97 * limit < biases.max() < 1.0001 * limit
            assert weights.mean() == pytest.approx(limit / 2, rel=0.05)
