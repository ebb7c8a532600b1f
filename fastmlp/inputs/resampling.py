"""Rows for the members of an ensemble: bootstrap samples and folds."""

from __future__ import annotations

import numpy as np

from ..kernels import schema


def bootstrap_rows(count: int, member: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """As many of `count` samples as there are, drawn with replacement, and those that were not drawn, each ascending.

    They follow from the count, the member's number and the seed alone.
    """
    bits = _random_bits(count, seed, schema.BOOTSTRAP_PURPOSE, member)
    # The upper 32 bits of each times the count: a uniform choice whose bias is below count / 2^32.
    drawn = ((bits >> np.uint64(32)) * np.uint64(count) >> np.uint64(32)).astype(np.int64)
    rows = np.sort(drawn)
    return rows, np.setdiff1d(np.arange(count), rows)


def fold_rows(
    count: int, folds: int, classes: np.ndarray | None, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each fold the samples outside it and those in it, each ascending; each fold has its share of each class."""
    order = np.argsort(_random_bits(count, seed, schema.FOLDS_PURPOSE, 0), kind="stable")
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    fold_of = np.empty(count, np.int64)
    fold_of[order] = np.arange(count) % folds
    return [(np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)) for fold in range(folds)]


def _random_bits(count: int, seed: int, purpose: int, draw: int) -> np.ndarray:
    from ..kernels.loops import rng  # needs Numba

    bits = np.empty(count, np.uint64)
    rng.fill(bits, np.uint64(seed), purpose, draw)
    return bits
