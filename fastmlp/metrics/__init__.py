"""Metrics: how good predictions are, as plain functions of what is true and what was predicted.

Classes are whole numbers from 0 on. `METRICS` are those that `Sequential.fit` and `Sequential.evaluate` take by name.

Examples
--------
>>> confusion_matrix([0, 0, 1, 2], [0, 1, 1, 2]).tolist()
[[1, 1, 0], [0, 1, 0], [0, 0, 1]]
"""

from .classes import accuracy, balanced_accuracy, confusion_matrix, f1, precision, recall
from .scores import roc_auc, top_k_accuracy
from .table import METRICS, Metric
from .values import (
    max_error,
    mean_absolute_error,
    mean_squared_error,
    median_absolute_error,
    r2,
    root_mean_squared_error,
)

__all__ = [
    "METRICS", "Metric", "accuracy", "balanced_accuracy", "confusion_matrix", "f1", "max_error", "mean_absolute_error",
    "mean_squared_error", "median_absolute_error", "precision", "r2", "recall", "roc_auc", "root_mean_squared_error",
    "top_k_accuracy",
]  # fmt: skip
