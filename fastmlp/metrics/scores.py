"""Metrics of scores of the classes: whether those of what is true are high."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..checks import COUNT, checked
from .arguments import classes_of, numbers_of, one_per_sample, require_as_many


def top_k_accuracy(y_true: ArrayLike, scores: ArrayLike, *, k: int = 5) -> float:
    """Share of the samples whose class is among the k with the highest scores.

    Parameters
    ----------
    y_true : array_like of int, shape (samples,)
        Classes.
    scores : array_like, shape (samples, classes)
        Probabilities, or anything else that is higher for what is more likely. Of equal ones, the first counts as
        the higher one.
    k : int
        At least 1.

    Examples
    --------
    >>> top_k_accuracy([1, 2], [[0.1, 0.5, 0.4], [0.6, 0.3, 0.1]], k=2)
    0.5
    """
    outputs = numbers_of(scores, "scores")
    if outputs.ndim != 2:
        raise ValueError(f"scores: expected shape (samples, classes), got {outputs.shape}")
    true = classes_of(y_true, "y_true")
    require_as_many(true, outputs, "scores")
    if true.max() >= outputs.shape[1]:
        raise ValueError(f"y_true: expected classes below {outputs.shape[1]}, got {true.max()}")
    own = np.take_along_axis(outputs, true[:, None], axis=1)
    earlier = np.arange(outputs.shape[1]) < true[:, None]
    above = ((outputs > own) | ((outputs == own) & earlier)).sum(axis=1)
    return float(np.mean(above < checked("", "k", k, COUNT)))


def roc_auc(y_true: ArrayLike, scores: ArrayLike) -> float:
    """Probability that a sample of class 1 has a higher score than one of class 0, where equal ones count half.

    That is the area under the receiver operating characteristic, by the ranks of the scores (Hanley and McNeil, 1982).

    Parameters
    ----------
    y_true : array_like of int, shape (samples,)
        Classes 0 and 1, both of which must occur.
    scores : array_like, shape (samples,)
        Probabilities of class 1, or anything that grows with them.

    Examples
    --------
    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    values = one_per_sample(numbers_of(scores, "scores"))
    if values.ndim != 1:
        raise ValueError(f"scores: expected one score for each sample, got shape {values.shape}")
    true = classes_of(y_true, "y_true")
    require_as_many(true, values, "scores")
    found = np.unique(true).tolist()
    if found != [0, 1]:
        raise ValueError(f"y_true: expected samples of both classes, 0 and 1, got the classes {found}")
    _, inverse, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[inverse]  # equal ones share the mean of their ranks
    ones = int(true.sum())
    return float((ranks[true == 1].sum() - ones * (ones + 1) / 2) / (ones * (true.size - ones)))
