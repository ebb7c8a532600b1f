"""Some of the samples for training, the others for testing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..checks import COUNT_FROM_ZERO, checked, is_count
from ..kernels.schema import SPLIT_PURPOSE
from .sparse_matrix import is_sparse_matrix


def train_test_split(
    X: Any, y: Any, *, test_size: float = 0.25, stratify: ArrayLike | None = None, seed: int = 0
) -> tuple[Any, Any, Any, Any]:
    """Split samples and their classes or values at random.

    Which samples go where follows from their number, `stratify` and the seed: it is the same on every machine and
    with every version of NumPy.

    Parameters
    ----------
    X : array_like, sparse matrix or data frame, shape (samples, ...)
        Samples.
    y : array_like or series, shape (samples, ...)
        Their classes or values.
    test_size : float or int
        Share of the samples for testing, between 0 and 1, or number of them.
    stratify : array_like, shape (samples,), optional
        Classes, mostly `y`: of each one the same share is for testing, as far as whole numbers allow.
    seed : int
        Key of the random numbers.

    Returns
    -------
    X_train, X_test, y_train, y_test
        In random order; of the types that came in, lists as arrays.

    Raises
    ------
    ValueError
        If the lengths differ, or nothing would be left for training or for testing.

    Examples
    --------
    >>> X_train, X_test, y_train, y_test = train_test_split([[1], [2], [3], [4]], [0, 0, 1, 1], stratify=[0, 0, 1, 1])
    >>> X_train.shape, y_test.shape
    ((3, 1), (1,))
    """
    X, y = (
        given if hasattr(given, "iloc") or is_sparse_matrix(given) else np.asarray(given) for given in (X, y)
    )
    count = X.shape[0] if X.ndim else 0
    if y.shape[:1] != (count,):
        raise ValueError(f"y: expected one for each of the {count} samples of X, got shape {y.shape}")
    seed = checked("", "seed", seed, COUNT_FROM_ZERO)
    train, test = split_rows(count, test_size, stratify, seed)
    return rows_of(X, train), rows_of(X, test), rows_of(y, train), rows_of(y, test)


def split_rows(
    count: int, test_size: float, stratify: ArrayLike | None, seed: int, name: str = "test_size"
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the samples for training and for testing, as `train_test_split` chooses them, in random order.

    Messages call the size by the name.
    """
    for_test = _count_for_test(test_size, count, name)
    from ..kernels.loops import rng  # needs Numba

    bits = np.empty(count, np.uint64)
    rng.fill(bits, np.uint64(seed), SPLIT_PURPOSE, 0)
    order = np.argsort(bits, kind="stable")
    chosen = np.zeros(count, np.bool_)
    chosen[_chosen(order, for_test, stratify)] = True
    tested = chosen[order]
    return order[~tested], order[tested]


def _count_for_test(test_size: float, count: int, name: str) -> int:
    number = test_size
    if isinstance(test_size, (float, np.floating)) and 0 < test_size < 1:
        number = round(test_size * count)
    if not is_count(number) or not 0 < number < count:
        raise ValueError(
            f"{name}: expected a share between 0 and 1, or a number of samples, that leaves some of the {count} "
            f"for training and some for testing, got {test_size!r}"
        )
    return int(number)


def _chosen(order: np.ndarray, for_test: int, stratify: ArrayLike | None) -> np.ndarray:
    """The samples for testing: the first ones of each class, in this order."""
    if stratify is None:
        return order[:for_test]
    labels = np.asarray(stratify)
    if labels.shape != order.shape:
        raise ValueError(
            f"stratify: expected a class for each of {len(order)} samples, got shape {labels.shape}"
        )
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_class = order[np.argsort(codes[order], kind="stable")]
    starts = np.cumsum(counts) - counts
    taken = _shares(counts.tolist(), for_test)
    return np.concatenate(
        [by_class[start : start + number] for start, number in zip(starts, taken, strict=True)]
    )


def _shares(counts: list[int], total: int) -> list[int]:
    """`total` divided in proportion to the counts, in whole numbers: those that lose most get what is left over."""
    everything = sum(counts)
    shares = [count * total // everything for count in counts]
    lost = [count * total % everything for count in counts]
    left = total - sum(shares)
    for place in sorted(range(len(counts)), key=lambda place: -lost[place])[:left]:
        shares[place] += 1
    return shares


def rows_of(values: Any, places: np.ndarray) -> Any:
    """These rows of an array, list, data frame or sparse matrix."""
    if hasattr(values, "iloc"):
        return values.iloc[places]
    return values.tocsr()[places] if is_sparse_matrix(values) else np.asarray(values)[places]
