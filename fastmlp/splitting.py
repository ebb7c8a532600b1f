"""Which samples are kept back for validation."""

import numpy as np

from .kernels import rng


def split_rows(count: int, share: float, seed: int, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide samples into those to train on and those to validate with.

    They are drawn by the seed: the same ones in every call with as many samples. Of classes, each gives its share, to
    within one sample, as all are drawn at equal distances from a random order that is then sorted by class.

    Parameters
    ----------
    count : int
        Number of samples.
    share : float
        Of the samples to validate with, above 0 and below 1.
    seed : int
        Key of the random numbers.
    labels : ndarray, shape (count,) or (0,)
        Class of each sample, or nothing.

    Returns
    -------
    training, validation : ndarray, int64
        Numbers of the samples, ascending.

    Raises
    ------
    ValueError
        If the share is no such number, or leaves one of the two without a sample.

    Examples
    --------
    >>> training, validation = split_rows(8, 0.25, 0, np.array([0, 0, 0, 0, 1, 1, 1, 1]))
    >>> len(training), (validation < 4).tolist()
    (6, [True, False])
    """
    number = isinstance(share, (int, float)) and not isinstance(share, bool)
    kept = round(count * share) if number and 0 < share < 1 else 0
    if not 0 < kept < count:
        raise ValueError(
            f"validation_split: expected a share above 0 and below 1 that leaves samples on both sides of {count}, "
            f"got {share!r}"
        )
    bits = np.empty(count, np.uint64)
    rng.fill(bits, np.uint64(seed), rng.SPLIT, 0)
    order = np.argsort(bits, kind="stable")
    if labels.size:
        order = order[np.argsort(labels[order], kind="stable")]
    chosen = np.zeros(count, bool)
    chosen[order[(2 * np.arange(kept) + 1) * count // (2 * kept)]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)
