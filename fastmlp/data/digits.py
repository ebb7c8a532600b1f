"""Handwritten-looking digits from a seed: the data set that is always there."""

import operator

import numpy as np
from numpy.typing import NDArray

from ..kernels.extras import digits as kernels
from .dataset import DataSet
from .digit_glyphs import tabulate

_SKELETONS = tabulate()
# Test images come from here on, so they are the same for every number of training images.
_TEST_START = 1 << 40
_MOST_IMAGES = 1 << 64


def synthetic_digits(n: int, seed: int = 0, start: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw `n` images of an endless data set of handwritten-looking digits.

    Image i depends on `seed` and i only: any part of the set can be drawn on its own, in any order,
    and has the same bits on every machine.

    Parameters
    ----------
    n : int
        Number of images.
    seed : int, default 0
        Which data set; 0 to 2**64 - 1.
    start : int, default 0
        Index of the first image, from 0.

    Returns
    -------
    images : ndarray of uint8, shape (n, 28, 28)
        0 is background, 255 full ink; about 19 % of the pixels are not 0, as in MNIST.
    labels : ndarray of uint8, shape (n,)
        The digit of each image: its index modulo 10.

    Raises
    ------
    ValueError
        An argument is out of range.

    Examples
    --------
    >>> images, labels = synthetic_digits(1000, seed=7)
    >>> images.shape, labels[:12]
    ((1000, 28, 28), array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1], dtype=uint8))
    >>> later, _ = synthetic_digits(10, seed=7, start=990)
    >>> bool((images[990:] == later).all())
    True
    """
    n, seed, start = operator.index(n), operator.index(seed), operator.index(start)
    if n < 0:
        raise ValueError(f"synthetic_digits: expected n of at least 0, got {n}")
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"synthetic_digits: expected a seed from 0 to 2**64 - 1, got {seed}")
    if start < 0 or start + n > _MOST_IMAGES:
        raise ValueError(f"synthetic_digits: expected images between 0 and 2**64, got start={start}, n={n}")
    first = np.uint64(start if n else 0)  # the end of the range is not a start that fits
    images = np.empty((n, kernels.SIDE, kernels.SIDE), np.uint8)
    labels = np.empty(n, np.uint8)
    distances = np.empty((kernels.SIDE, kernels.ROW), np.float32)
    placed = np.empty((kernels.MOST_POINTS, 2), np.float32)
    kernels.draw_digits(images, labels, distances, placed, *_SKELETONS, np.uint64(seed), first)
    return images, labels


def load_synthetic(n_train: int = 60_000, n_test: int = 10_000, seed: int = 0) -> DataSet:
    """Draw a training and a test set of handwritten-looking digits; no image is in both.

    Parameters
    ----------
    n_train, n_test : int
        Numbers of images.
    seed : int, default 0
        Which data set; 0 to 2**64 - 1.

    Returns
    -------
    DataSet
        Images of 28 x 28 pixels, ten classes, as many of each as the numbers allow.

    See Also
    --------
    synthetic_digits : the images themselves, one range of indices at a time.

    Examples
    --------
    >>> data = load_synthetic(n_train=1_000, n_test=100)
    >>> data.x_train.shape, data.x_train.dtype, data.y_test.shape
    ((1000, 28, 28), dtype('uint8'), (100,))
    """
    x_train, y_train = synthetic_digits(n_train, seed)
    x_test, y_test = synthetic_digits(n_test, seed, start=_TEST_START)
    return DataSet(x_train, y_train, x_test, y_test, name="synthetic digits")
