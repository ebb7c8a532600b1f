"""The checks that scikit-learn has for whoever writes an estimator."""

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.utils.estimator_checks import parametrize_with_checks

from fastmlp.sklearn import MLPClassifier, MLPRegressor

ESTIMATORS = [
    MLPClassifier(),
    MLPRegressor(),
    MLPClassifier(dtype="float64"),
    MLPRegressor(dtype="float64"),
    MLPClassifier(dtype="float64", solver="adamw", activation="elu", hidden_layer_sizes=(8, 8)),
    MLPRegressor(dtype="float64", solver="sgd", activation="tanh", hidden_layer_sizes=8),
]

ROUNDED = "it compares to 1e-7, and sums of float32 are rounded by as much; those of float64 pass"


def expected_to_fail(estimator):
    if estimator.dtype == "float64" or isinstance(estimator, MLPRegressor):
        return {}
    return {f"check_sample_weight_equivalence_on_{kind}_data": ROUNDED for kind in ("dense", "sparse")}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_to_fail)
def test_estimators(estimator, check):
    check(estimator)
