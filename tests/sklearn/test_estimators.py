"""The estimators in use: searches, pipelines, copies; the same bits; going on; what is refused."""

import copy
import io
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import joblib
import pandas
import scipy.sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import Adam, load
from fastmlp.losses import BinaryCrossEntropy, CrossEntropy, Huber, MeanSquaredError, Quantile
from fastmlp.schedules import CosineDecay
from fastmlp.sklearn import MLPClassifier, MLPRegressor

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(90, 4))
CLASSES = np.array(["red", "green", "blue"])[np.digitize(X[:, 0], (-0.4, 0.4))]
LABELS = (X[:, :3] > 0).astype(int)
VALUES = X[:, 0] - 2 * X[:, 1]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make(kind, **options):
    return kind(**{"hidden_layer_sizes": 8, "max_iter": 30, "random_state": 1, "tol": 0.0} | options)


def classifier(**options):
    return make(MLPClassifier, **options)


def regressor(**options):
    return make(MLPRegressor, **options)


TASKS = {
    "classes": (MLPClassifier, CLASSES),
    "labels": (MLPClassifier, LABELS),
    "values": (MLPRegressor, VALUES),
}
each_task = pytest.mark.parametrize(("kind", "y"), TASKS.values(), ids=TASKS)


def bits(estimator):
    return estimator.model_.network.params.tobytes()


# Learning


@pytest.mark.parametrize(
    ("load_data", "estimator", "least"),
    [
        (load_breast_cancer, MLPClassifier(max_iter=100, random_state=0), 0.95),
        (load_wine, MLPClassifier(random_state=0), 0.95),
        (load_digits, MLPClassifier(learning_rate_init=0.005, max_iter=50, random_state=0), 0.93),
        (load_diabetes, MLPRegressor(learning_rate_init=0.01, alpha=10.0, max_iter=100, random_state=0), 0.3),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)
def test_data_sets_of_scikit_learn(load_data, estimator, least):
    data, y = load_data(return_X_y=True)
    assert cross_val_score(make_pipeline(StandardScaler(), estimator), data, y, cv=3).mean() > least


def test_probabilities():
    for y in (CLASSES, CLASSES == "red", LABELS):
        estimator = classifier(max_iter=100, learning_rate_init=0.02).fit(X, y)
        p = estimator.predict_proba(X)
        np.testing.assert_allclose(np.exp(estimator.predict_log_proba(X)), p, rtol=1e-12)
        if y is LABELS:
            np.testing.assert_array_equal(estimator.predict(X), p > 0.5)
        else:
            np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
            np.testing.assert_array_equal(estimator.predict(X), estimator.classes_[p.argmax(axis=1)])
        assert estimator.score(X, y) > 0.8
    assert classifier().fit(X, np.full(90, "same")).predict_proba(X[:2]).tolist() == [[1], [1]]


def test_the_model_knows_the_names(tmp_path):
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    estimator = classifier().fit(frame, CLASSES)
    assert estimator.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    estimator.model_.save(tmp_path / "model.safetensors")
    model = load(tmp_path / "model.safetensors")
    assert (model.class_names, model.feature_names) == (("blue", "green", "red"), ("a", "b", "c", "d"))
    np.testing.assert_array_equal(model.predict_classes(frame), estimator.predict(frame))


def test_several_values():
    y = np.stack([VALUES, X[:, 2]], axis=1)
    estimator = regressor(max_iter=200, learning_rate_init=0.01).fit(X, y)
    assert estimator.predict(X).shape == (90, 2) and estimator.score(X, y) > 0.9


@pytest.mark.parametrize("loss", ["squared_error", "huber", "poisson", Quantile(0.5), Huber(2.0)], ids=str)
def test_losses_of_values(loss):
    y = np.exp(X[:, 0])
    estimator = regressor(loss=loss, max_iter=300, learning_rate_init=0.01).fit(X, y)
    assert estimator.score(X, y) > 0.8
    assert loss != "poisson" or (estimator.predict(X) > 0).all()


def test_losses_of_classes():
    plain, smooth = (classifier(loss=loss).fit(X, CLASSES) for loss in ("auto", CrossEntropy(0.3)))
    assert smooth.predict_proba(X).max() < plain.predict_proba(X).max()
    classifier(loss=BinaryCrossEntropy(0.1)).fit(X, LABELS)


@each_task
def test_sparse_samples_give_the_same_bits(kind, y):
    dense = np.where(np.abs(X) > 1, X, 0)
    wanted = make(kind).fit(dense, y)
    for form in (scipy.sparse.csr_matrix, scipy.sparse.csc_array, scipy.sparse.coo_array):
        estimator = make(kind).fit(form(dense), y)
        assert bits(estimator) == bits(wanted)
        np.testing.assert_array_equal(estimator.predict(form(dense)), wanted.predict(dense))


def test_sparse_labels():
    wanted, given = classifier().fit(X, LABELS), classifier().fit(X, scipy.sparse.csr_matrix(LABELS))
    assert bits(wanted) == bits(given)


def test_bytes_are_numbers_as_in_all_of_scikit_learn():
    numbers = RANDOM.integers(0, 9, (90, 4))
    assert bits(classifier().fit(numbers.astype(np.uint8), CLASSES)) == bits(
        classifier().fit(numbers, CLASSES)
    )


# Random numbers


@each_task
def test_a_number_as_random_state_gives_the_same_bits(kind, y):
    estimator = make(kind).fit(X, y)
    first = bits(estimator)
    assert (
        bits(make(kind).fit(X, y))
        == bits(estimator.fit(X, y))
        == bits(make(kind, threads=2).fit(X, y))
        == first
    )
    assert bits(make(kind, random_state=2).fit(X, y)) != first
    one, other = (bits(make(kind, random_state=None).fit(X, y)) for _ in range(2))
    assert one != other


def test_random_state_of_numpy():
    np.random.seed(3)
    first = bits(classifier(random_state=None).fit(X, CLASSES))
    np.random.seed(3)
    assert bits(classifier(random_state=None).fit(X, CLASSES)) == first
    state = np.random.RandomState(3)
    one, other = (bits(classifier(random_state=state).fit(X, CLASSES)) for _ in range(2))
    assert one == first != other


def test_shuffle():
    assert bits(classifier(batch_size=20).fit(X, CLASSES)) != bits(
        classifier(batch_size=20, shuffle=False).fit(X, CLASSES)
    )


# Weights of samples


@each_task
def test_a_weight_counts_samples(kind, y):
    counts = RANDOM.integers(0, 3, 90)
    # Without a penalty, which counts less beside more samples; and then with one, which must count so.
    for alpha in (0.0, 1.0):
        plain, weighted, repeated, alike = (make(kind, dtype="float64", alpha=alpha) for _ in range(4))
        plain.fit(X, y)
        weighted.fit(X, y, sample_weight=counts)
        repeated.fit(X.repeat(counts, axis=0), y.repeat(counts, axis=0))
        alike.fit(X, y, sample_weight=np.full(90, 3.0))
        for array, other, without in zip(weighted.coefs_, repeated.coefs_, plain.coefs_, strict=True):
            np.testing.assert_allclose(array, other, rtol=1e-7, atol=1e-10)
            assert np.abs(array - without).max() > 1e-4
        assert (bits(alike) == bits(plain)) == (alpha == 0)


# Going on


@each_task
def test_twice_five_epochs_are_ten(kind, y):
    ten, estimator = make(kind, max_iter=10).fit(X, y), make(kind, max_iter=5, warm_start=True).fit(X, y)
    model = estimator.model_
    assert estimator.fit(X, y).model_ is model
    assert bits(estimator) == bits(ten)
    assert estimator.loss_curve_ == ten.loss_curve_ and len(ten.loss_curve_) == 10
    assert (estimator.n_iter_, ten.n_iter_, model.epochs) == (5, 10, 10)
    assert bits(estimator.set_params(warm_start=False, max_iter=10).fit(X, y)) == bits(ten)


def test_partial_fit():
    whole = classifier(max_iter=3).fit(X, CLASSES)
    steps = classifier()
    for _ in range(3):
        steps.partial_fit(X, CLASSES, classes=["red", "blue", "green"])
    assert bits(steps) == bits(whole) and steps.n_iter_ == 1 and len(steps.loss_curve_) == 3
    steps.partial_fit(X[:5], ["red"] * 5)  # not all of them need to be there
    assert steps.classes_.tolist() == ["blue", "green", "red"]
    labels, values = classifier().partial_fit(X, LABELS), regressor().partial_fit(X, VALUES)
    assert labels.partial_fit(X, LABELS).model_.epochs == values.partial_fit(X, VALUES).model_.epochs == 2


def test_a_new_rate_for_what_is_there():
    estimator = classifier(warm_start=True, max_iter=3).fit(X, CLASSES)
    before = bits(estimator)
    estimator.set_params(learning_rate_init=1e-12).fit(X, CLASSES)
    assert estimator.model_.optimizer.learning_rate == 1e-12
    np.testing.assert_allclose(np.frombuffer(bits(estimator), "f4"), np.frombuffer(before, "f4"), atol=1e-8)


# The end


def test_it_ends_when_nothing_gets_better():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator = classifier(tol=0.05, n_iter_no_change=4, max_iter=1000, learning_rate_init=0.01).fit(
            X, CLASSES
        )
    curve = np.array(estimator.loss_curve_)
    assert estimator.n_iter_ == len(curve) < 1000
    best = np.minimum.accumulate(np.r_[np.inf, curve])[:-1]
    progress = curve <= best - 0.05
    assert progress[-6] and not progress[-5:].any()  # the first with more than four in a row
    assert "".join("x" if better else "." for better in progress).find(".....") == len(curve) - 5
    with pytest.warns(ConvergenceWarning, match=r"MLPClassifier: max_iter=3 epochs are trained and the loss"):
        classifier(max_iter=3).fit(X, CLASSES)


@each_task
def test_early_stopping_ends_with_the_best_weights(kind, y):
    options = {"early_stopping": True, "learning_rate_init": 0.05, "validation_fraction": 0.3}
    estimator = make(kind, max_iter=300, **options).fit(X, y)
    scores = estimator.validation_scores_
    assert len(scores) == estimator.n_iter_ < 300
    assert estimator.best_validation_score_ == max(scores) and estimator.best_loss_ is None
    shorter = make(kind, max_iter=scores.index(max(scores)) + 1, **options).fit(X, y)
    assert bits(shorter) == bits(estimator)
    without = make(kind).fit(X, y)
    assert without.validation_scores_ is None is without.best_validation_score_


def test_a_line_an_epoch(capsys):
    classifier(verbose=2, max_iter=3).fit(X, CLASSES)
    assert capsys.readouterr().err.count("epoch ") == 3
    classifier(max_iter=3).fit(X, CLASSES)
    assert capsys.readouterr() == ("", "")


# Tools of scikit-learn


def test_a_search_in_two_processes():
    grid = {
        "hidden_layer_sizes": [(4,), (8, 4)],
        "alpha": np.logspace(-4, 0, 2),
        "solver": ["sgd", Adam(0.02)],
    }
    searches = [GridSearchCV(classifier(), grid, cv=3, n_jobs=jobs).fit(X, CLASSES) for jobs in (2, 1)]
    for name in ("mean_test_score", "params"):
        assert list(searches[0].cv_results_[name]) == list(searches[1].cv_results_[name])
    assert bits(searches[0].best_estimator_) == bits(searches[1].best_estimator_)
    assert searches[0].score(X, CLASSES) > 0.7


def test_clones_and_arguments():
    options = {
        "hidden_layer_sizes": (3, 2), "activation": "logistic", "solver": Adam(CosineDecay(0.01, steps=9)),
        "alpha": 0.5, "threads": 1, "loss": CrossEntropy(0.1),
    }  # fmt: skip
    estimator = MLPClassifier(**options)
    params = estimator.get_params()
    assert {name: params[name] for name in options} == options
    assert clone(estimator).get_params() == params
    assert MLPClassifier(**params).get_params() == params == clone(estimator.fit(X, CLASSES)).get_params()
    estimator.model_.optimizer.beta1 = 0.5
    assert options["solver"].beta1 == 0.9


@each_task
def test_copies_of_what_is_fitted(kind, y):
    estimator, file = make(kind, warm_start=True).fit(X, y), io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    copies = [joblib.load(file), pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)]  # noqa: S301
    for each in (estimator, *copies):
        each.fit(X, y)
        assert each.loss_curve_ == estimator.loss_curve_ and len(each.loss_curve_) == 60
        assert bits(each) == bits(estimator)


def test_one_for_each_output():
    several = MultiOutputClassifier(classifier(learning_rate_init=0.1), n_jobs=2).fit(X, LABELS)
    assert several.score(X, LABELS) > 0.8


def test_a_fast_way_for_single_samples():
    estimator = classifier().fit(X, CLASSES)
    np.testing.assert_allclose(
        estimator.model_.predictor()(X[0]), estimator.predict_proba(X[:1])[0], rtol=1e-6
    )


# What is refused

REFUSED = {
    "hidden_layer_sizes: expected whole numbers": {"hidden_layer_sizes": 0},
    "hidden_layer_sizes: expected .*, got 'big'": {"hidden_layer_sizes": "big"},
    r"hidden_layer_sizes: expected .*, got \(2.5,\)": {"hidden_layer_sizes": (2.5,)},
    "activation: expected one of .*, got 'rleu'": {"activation": "rleu"},
    "solver: expected one of adadelta": {"solver": "lbfgs"},
    "alpha: expected a number of at least 0, got -1": {"alpha": -1},
    "alpha: expected .*, got nan": {"alpha": float("nan")},
    "batch_size: expected a whole .*, or 'auto', got 0": {"batch_size": 0},
    "learning_rate_init: expected a number above 0, got 0": {"learning_rate_init": 0},
    "max_iter: expected a whole number of at least 1, got 0": {"max_iter": 0},
    "momentum: expected a number of at least 0 and below 1, got 1.0": {"solver": "sgd", "momentum": 1.0},
    "beta_1: expected .*, got 1": {"beta_1": 1},
    "epsilon: expected .*, got 0": {"epsilon": 0},
    "tol: expected a finite number, got 'small'": {"tol": "small"},
    "validation_fraction: expected a number above 0 and below 1, got 1.5": {
        "early_stopping": True,
        "validation_fraction": 1.5,
    },
    "n_iter_no_change: expected a whole": {"n_iter_no_change": 0},
    "verbose: expected .*, got -1": {"verbose": -1},
    "dtype: expected one of .*, got 'int8'": {"dtype": "int8"},
    "threads": {"threads": 0},
    "loss: expected 'auto', or one of .*, got 'hinge'": {"loss": "hinge"},
    r"loss: expected .*CrossEntropy\), got MeanSquaredError": {"loss": MeanSquaredError()},
}


@pytest.mark.parametrize("message", REFUSED)
def test_arguments_out_of_range(message):
    estimator = classifier(max_iter=2).fit(X, CLASSES)
    before = bits(estimator)
    with pytest.raises(ValueError, match=message):
        estimator.set_params(**REFUSED[message]).fit(X, CLASSES)
    assert bits(estimator) == before


def test_infinite_patience_is_fine():
    assert classifier(n_iter_no_change=np.inf, max_iter=5).fit(X, CLASSES).n_iter_ == 5


def test_targets_that_do_not_fit():
    with pytest.raises(ValueError, match="classes must be passed in the first call"):
        classifier().partial_fit(X, CLASSES)
    known = classifier(warm_start=True).fit(X, CLASSES)
    with pytest.raises(
        ValueError, match=r"y has the class 'pink'; expected classes among \['blue' 'green' 'red'\]"
    ):
        known.partial_fit(X, np.where(CLASSES == "red", "pink", CLASSES))
    with pytest.raises(ValueError, match=r"classes are \['blue' 'red'\]; expected \['blue' 'green' 'red'\]"):
        known.partial_fit(X, CLASSES, classes=["red", "blue"])
    with pytest.raises(ValueError, match="several outputs with several classes"):
        classifier().fit(X, LABELS[:, :2] + LABELS[:, 1:])
    with pytest.raises(ValueError, match="early_stopping"):
        classifier(early_stopping=True).partial_fit(X, CLASSES, classes=np.unique(CLASSES))
    with pytest.raises(NotFittedError):
        regressor().predict(X)
    with pytest.warns(DataConversionWarning):
        assert regressor().fit(X, VALUES[:, None]).predict(X).shape == (90,)


# Without scikit-learn


@pytest.mark.parametrize(
    ("hidden", "message"),
    [
        (
            "sys.modules['sklearn'] = None",
            'fastmlp.sklearn needs scikit-learn: pip install "fastmlp[sklearn]"',
        ),
        (
            "import sklearn.utils.validation as v; del v.validate_data",
            'fastmlp.sklearn needs scikit-learn 1.6 or newer: pip install -U "fastmlp[sklearn]"',
        ),
    ],
)
def test_the_way_out_is_told(hidden, message):
    program = (
        f"import sys; {hidden}\ntry:\n    import fastmlp.sklearn\nexcept ImportError as e:\n    print(e)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout == message + "\n", run.stderr


def test_only_this_package_imports_scikit_learn():
    program = "import sys; from fastmlp import *; print('sklearn' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout == "False\n", run.stderr
