"""Metrics: by hand, against scikit-learn where it is installed, and by name."""

import numpy as np
import pytest

from fastmlp import Dense, Sequential, metrics
from fastmlp.metrics import METRICS

# Three classes; rows are true, columns predicted:   2 1 0
#                                                    0 1 1
#                                                    1 0 4
TRUE = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2])
PREDICTED = np.array([0, 0, 1, 1, 2, 0, 2, 2, 2, 2])
TABLE = [[2, 1, 0], [0, 1, 1], [1, 0, 4]]


def test_classes_by_hand():
    assert metrics.confusion_matrix(TRUE, PREDICTED).tolist() == TABLE
    assert metrics.accuracy(TRUE, PREDICTED) == 0.7
    assert metrics.balanced_accuracy(TRUE, PREDICTED) == pytest.approx((2 / 3 + 1 / 2 + 4 / 5) / 3)
    np.testing.assert_allclose(metrics.precision(TRUE, PREDICTED, average=None), [2 / 3, 1 / 2, 4 / 5])
    np.testing.assert_allclose(metrics.recall(TRUE, PREDICTED, average=None), [2 / 3, 1 / 2, 4 / 5])
    np.testing.assert_allclose(metrics.f1([0, 0, 1], [0, 1, 1], average=None), [2 / 3, 2 / 3])
    assert metrics.f1([0, 0, 0, 1], [0, 0, 0, 0]) == pytest.approx((6 / 7 + 0) / 2)


def test_a_class_that_does_not_occur():
    assert metrics.confusion_matrix([0, 2], [0, 2], classes=4).diagonal().tolist() == [1, 0, 1, 0]
    assert metrics.precision([0, 2], [0, 2], average=None).tolist() == [1, 0, 1]
    assert metrics.precision([0, 2], [0, 2]) == 1  # the mean is over those that do
    assert metrics.precision([0, 1], [0, 0], average=None).tolist() == [0.5, 0]


def test_top_k_by_hand():
    scores = [[0.1, 0.5, 0.4], [0.6, 0.3, 0.1], [0.2, 0.2, 0.6]]
    hits = [metrics.top_k_accuracy([1, 2, 1], scores, k=k) for k in (1, 2, 3)]
    assert hits == pytest.approx([1 / 3, 1 / 3, 1])  # of the equal ones, the first is the higher one
    assert metrics.top_k_accuracy([1, 2, 0], scores, k=2) == pytest.approx(2 / 3)


def test_roc_auc_by_hand():
    # Of the six pairs, scores are in order in four, and equal in one.
    assert metrics.roc_auc([0, 0, 1, 1, 1], [0.1, 0.4, 0.4, 0.2, 0.9]) == pytest.approx((4 + 0.5) / 6)
    assert metrics.roc_auc([0, 1], [1, 2]) == 1
    assert metrics.roc_auc([0, 1], [2, 1]) == 0
    assert metrics.roc_auc([0, 1, 1], [[3], [3], [3]]) == 0.5


def test_values_by_hand():
    true, predicted = [[1.0, 2.0], [3.0, 6.0]], [[1.0, 0.0], [0.0, 6.0]]
    assert metrics.mean_absolute_error(true, predicted) == 5 / 4
    assert metrics.median_absolute_error(true, predicted) == 1
    assert metrics.max_error(true, predicted) == 3
    assert metrics.mean_squared_error(true, predicted) == 13 / 4
    assert metrics.root_mean_squared_error(true, predicted) == pytest.approx(
        (np.sqrt(9 / 2) + np.sqrt(2)) / 2
    )
    assert metrics.r2(true, predicted) == pytest.approx(((1 - 9 / 2) + (1 - 4 / 8)) / 2)
    assert metrics.r2([2, 2], [2, 2]) == 1
    assert metrics.r2([2, 2], [2, 3]) == 0


def test_scikit_learn():
    theirs = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    random = np.random.default_rng(0)
    for classes in (2, 5):
        true, predicted = random.integers(0, classes, (2, 300))
        predicted = np.where(random.random(300) < 0.6, true, predicted)
        np.testing.assert_array_equal(
            metrics.confusion_matrix(true, predicted), theirs.confusion_matrix(true, predicted)
        )
        assert metrics.accuracy(true, predicted) == theirs.accuracy_score(true, predicted)
        expected = theirs.balanced_accuracy_score(true, predicted)
        assert metrics.balanced_accuracy(true, predicted) == pytest.approx(expected, rel=1e-14)
        for name in ("precision", "recall", "f1"):
            for average in (None, "macro"):
                expected = getattr(theirs, f"{name}_score")(true, predicted, average=average)
                actual = getattr(metrics, name)(true, predicted, average=average)
                np.testing.assert_allclose(actual, expected, rtol=1e-14)
    scores = random.random((300, 5))
    for k in (1, 2, 4):
        expected = theirs.top_k_accuracy_score(true, scores, k=k)
        assert metrics.top_k_accuracy(true, scores, k=k) == pytest.approx(expected, rel=1e-14)
    binary = (scores[:, 0] + random.random(300) > 1).astype(int)
    for score in (scores[:, 0], np.round(scores[:, 0], 1)):
        assert metrics.roc_auc(binary, score) == pytest.approx(theirs.roc_auc_score(binary, score), rel=1e-13)
    true, predicted = random.normal(size=(2, 50, 3))
    names = ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2")
    for name in names:
        expected = getattr(theirs, name if name != "r2" else "r2_score")(true, predicted)
        assert getattr(metrics, name)(true, predicted) == pytest.approx(expected, rel=1e-13)
    for name in (*names, "median_absolute_error", "max_error"):
        expected = getattr(theirs, name if name != "r2" else "r2_score")(true[:, 0], predicted[:, 0])
        assert getattr(metrics, name)(true[:, 0], predicted[:, 0]) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.accuracy([0, 1], [0]), "y_pred: expected 2 samples as in y_true, got 1"),
        (lambda: metrics.accuracy([], []), r"y_true: expected at least one number, got shape \(0,\)"),
        (lambda: metrics.accuracy(["a"], ["a"]), "y_true: expected at least one number, got dtype <U1"),
        (lambda: metrics.accuracy([0.5], [0]), "y_true: expected a class, .* got 0.5"),
        (lambda: metrics.accuracy([0], [-1]), "y_pred: expected a class, .* got -1"),
        (lambda: metrics.accuracy([[0, 1]], [[0, 1]]), r"y_true: expected a class, .* got shape \(1, 2\)"),
        (lambda: metrics.confusion_matrix([0, 3], [0, 1], classes=3), "classes: .* of at least 4, got 3; the largest"),
        (lambda: metrics.precision([0], [0], average="micro"), "average: expected one of macro"),
        (lambda: metrics.top_k_accuracy([0], [0.5]), r"scores: expected shape \(samples, classes\), got \(1,\)"),
        (lambda: metrics.confusion_matrix([0], [1], classes=2.5), "classes: .* of at least 2, got 2.5"),
        (lambda: metrics.top_k_accuracy([0, 1], [[0.5, 0.5]]), "scores: expected 2 samples as in y_true, got 1"),
        (lambda: metrics.top_k_accuracy([2], [[0.5, 0.5]]), "y_true: expected classes below 2, got 2"),
        (lambda: metrics.top_k_accuracy([0], [[0.5, 0.5]], k=0), "k: expected a whole number of at least 1, got 0"),
        (lambda: metrics.roc_auc([0, 0], [1, 2]), r"y_true: expected samples of both classes, 0 and 1, got .* \[0\]"),
        (lambda: metrics.roc_auc([0, 2], [1, 2]), r"got the classes \[0, 2\]"),
        (lambda: metrics.roc_auc([0, 1], [[1, 2], [3, 4]]), "scores: expected one score for each sample"),
        (lambda: metrics.roc_auc([0, 1], [1, 2, 3]), "scores: expected 2 samples as in y_true, got 3"),
        (lambda: metrics.r2([1.0, 2.0], [1.0]), r"y_pred: expected shape \(2,\) as y_true, got \(1,\)"),
        (lambda: metrics.r2([1.0, np.nan], [1.0, 2.0]), "y_true: expected finite numbers, got nan"),
    ],
)  # fmt: skip
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# By name

RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(80, 4)).astype("float32")
LABELS = RANDOM.integers(0, 3, 80)
VALUES = RANDOM.random((80, 3))
OF_CLASSES = [name for name, metric in METRICS.items() if metric.of == "classes"]
OF_VALUES = [name for name, metric in METRICS.items() if metric.of == "values"]


def model_of(last, outputs=3, **options):
    return Sequential([Dense(8, "tanh"), Dense(outputs, last)], seed=2, **options).build(4)


def test_every_name_is_a_function_of_the_module():
    for name, metric in METRICS.items():
        assert hasattr(metrics, name.removesuffix("_per_class")), name
        assert metric.of in {"classes", "scores", "values"}


@pytest.mark.parametrize("engine", ["kernels", "reference"])
@pytest.mark.parametrize("last", ["softmax", "log_softmax", "identity"])
def test_classes_by_name(last, engine):
    model = model_of(last, loss="cross_entropy")
    scores = model.evaluate(X, LABELS, metrics=[*OF_CLASSES, "top_k_accuracy"], engine=engine)
    predicted = model.predict_classes(X)
    assert list(scores) == [
        "loss",
        "accuracy",
        *(name for name in OF_CLASSES if name != "accuracy"),
        "top_k_accuracy",
    ]
    for name in OF_CLASSES:
        np.testing.assert_allclose(scores[name], METRICS[name].function(LABELS, predicted), rtol=1e-12)
    assert scores["top_k_accuracy"] == 1  # five of three


def test_forms_of_targets_are_the_same_classes():
    model = model_of("softmax")
    expected = model.evaluate(X, LABELS, metrics=["f1"])
    shares = np.eye(3)[LABELS] * 0.7 + 0.1
    assert model.evaluate(X, np.eye(3)[LABELS], metrics=["f1"]) == expected
    assert model.evaluate(X, shares, metrics=["f1"])["f1"] == expected["f1"]


@pytest.mark.parametrize(
    ("last", "outputs", "loss"),
    [
        ("sigmoid", 1, "auto"),
        ("identity", 1, "binary_cross_entropy"),
        ("softmax", 2, "auto"),
        ("log_softmax", 2, "auto"),
        ("identity", 2, "cross_entropy"),
    ],
)
def test_two_classes_in_any_form(last, outputs, loss):
    y = (X[:, 0] + RANDOM.normal(size=80) > 0).astype(int)
    model = model_of(last, outputs, loss=loss)
    model.fit(X, y, epochs=3, verbose=0)
    scores = model.evaluate(X, y, metrics=["roc_auc", "confusion_matrix"])
    outputs_of = model.predict(X).astype(np.float64)
    ranking = outputs_of[:, -1] if last != "identity" or outputs == 1 else outputs_of @ [-1, 1]
    assert scores["roc_auc"] == metrics.roc_auc(y, ranking)
    assert np.trace(scores["confusion_matrix"]) / 80 == pytest.approx(scores["accuracy"])
    if last == "softmax":
        swapped = model.evaluate(X, 1 - y, metrics=["roc_auc"])
        assert swapped["roc_auc"] == pytest.approx(1 - scores["roc_auc"])


def test_values_by_name():
    model = model_of("identity")
    scores = model.evaluate(X, VALUES, metrics=OF_VALUES)
    outputs = model.predict(X)
    for name in OF_VALUES:
        expected = METRICS[name].function(VALUES.astype("float32"), outputs)
        assert scores[name] == pytest.approx(expected, rel=1e-5)


def test_values_of_poisson_are_rates():
    model, y = model_of("identity", loss="poisson"), RANDOM.poisson(2.0, (80, 3))
    scores = model.evaluate(X, y, metrics=["max_error"])
    assert scores["max_error"] == pytest.approx(np.abs(y - np.exp(model.predict(X))).max(), rel=1e-6)


def test_functions_of_what_is_true_and_of_the_outputs():
    def above(true, outputs):
        assert true.shape == (80,)
        assert outputs.shape == (80, 3)
        return float(np.mean(outputs[np.arange(80), true] > 0.5))

    model = model_of("softmax")
    expected = np.mean(model.predict(X)[np.arange(80), LABELS] > 0.5)
    assert model.evaluate(X, LABELS, metrics=[above])["above"] == expected


def test_history_keeps_them_after_each_epoch(capsys):
    model = model_of("softmax")
    history = model.fit(X[:60], LABELS[:60], epochs=3, metrics=["f1"], validation_data=(X[60:], LABELS[60:]))
    names = {"loss", "accuracy", "f1", "val_loss", "val_accuracy", "val_f1", "seconds", "samples_per_second"}
    assert set(history) == names
    assert len(history["f1"]) == len(history["val_f1"]) == 3
    assert history["f1"][-1] == model.evaluate(X[:60], LABELS[:60], metrics=["f1"])["f1"]
    assert history["val_f1"][-1] == model.evaluate(X[60:], LABELS[60:], metrics=["f1"])["f1"]
    assert f"val_f1 {history['val_f1'][-1]:.4f}" in capsys.readouterr().err


def test_they_do_not_change_the_training():
    plain, measured = model_of("softmax"), model_of("softmax")
    plain.fit(X, LABELS, epochs=2, verbose=0)
    measured.fit(X, LABELS, epochs=2, metrics=["f1"], verbose=0)
    np.testing.assert_array_equal(plain.network.params, measured.network.params)


@pytest.mark.parametrize(
    ("last", "given", "message"),
    [
        ("softmax", "f1", "metrics: expected a list of names or functions, got 'f1'"),
        ("softmax", 3, "metrics: expected a list of names or functions, got 3"),
        ("softmax", ["f2"], "metric: expected one of accuracy, "),
        ("softmax", [None], "metric: expected one of .*, got None"),
        ("softmax", ["r2"], "metrics: r2 does not go with cross_entropy of 3 outputs; expected some of accuracy, "),
        ("identity", ["f1"], "f1 does not go with mean_squared_error of 3 outputs; expected some of mean_abs"),
        ("sigmoid", ["f1"], "f1 does not go with binary_cross_entropy of 3 outputs"),
        ("softmax", ["roc_auc"], "roc_auc is for two classes, the network has 3 outputs"),
        ("softmax", ["confusion_matrix"], "confusion_matrix is no number, .* use it in evaluate"),
    ],
)  # fmt: skip
def test_bad_metrics(last, given, message):
    model = Sequential([Dense(3, last)])
    y = LABELS if last == "softmax" else VALUES
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, metrics=given, verbose=0)
    with pytest.raises(RuntimeError, match="no parameters yet"):
        _ = model.network


def test_a_function_needs_a_name():
    with pytest.raises(ValueError, match="has no name to report it under"):
        model_of("softmax").evaluate(X, LABELS, metrics=[METRICS["f1_per_class"].function])


def test_top_k_needs_three_classes():
    with pytest.raises(ValueError, match="for three classes or more, there are 2"):
        model_of("softmax", 2).evaluate(X, LABELS % 2, metrics=["top_k_accuracy"])
