"""The metrics that `Sequential.fit` and `Sequential.evaluate` take by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from .classes import accuracy, balanced_accuracy, confusion_matrix, f1, precision, recall
from .scores import roc_auc, top_k_accuracy
from .values import (
    max_error,
    mean_absolute_error,
    mean_squared_error,
    median_absolute_error,
    r2,
    root_mean_squared_error,
)


class Metric(NamedTuple):
    """A metric as `Sequential.evaluate` takes it by name."""

    function: Callable[..., float | np.ndarray]
    of: str  # what it compares with the truth: predicted `classes`, `scores` of the classes, or `values`
    is_number: bool = True  # else an array


METRICS = {
    "accuracy": Metric(accuracy, "classes"),
    "balanced_accuracy": Metric(balanced_accuracy, "classes"),
    "precision": Metric(precision, "classes"),
    "recall": Metric(recall, "classes"),
    "f1": Metric(f1, "classes"),
    "precision_per_class": Metric(partial(precision, average=None), "classes", is_number=False),
    "recall_per_class": Metric(partial(recall, average=None), "classes", is_number=False),
    "f1_per_class": Metric(partial(f1, average=None), "classes", is_number=False),
    "confusion_matrix": Metric(confusion_matrix, "classes", is_number=False),
    "top_k_accuracy": Metric(top_k_accuracy, "scores"),
    "roc_auc": Metric(roc_auc, "scores"),
    "mean_absolute_error": Metric(mean_absolute_error, "values"),
    "median_absolute_error": Metric(median_absolute_error, "values"),
    "max_error": Metric(max_error, "values"),
    "mean_squared_error": Metric(mean_squared_error, "values"),
    "root_mean_squared_error": Metric(root_mean_squared_error, "values"),
    "r2": Metric(r2, "values"),
}
