"""What every loader of training and test samples returns."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from .summary import summarize


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """Samples with their classes or values for training, and others for testing.

    Images stay bytes: the kernels scale them while they gather a batch.

    Attributes
    ----------
    x_train : ndarray, shape (n_train, ...)
        Training samples; images are uint8, shape (n_train, height, width), 0 (background) to 255 (ink).
    y_train : ndarray, shape (n_train,) or (n_train, targets)
        The class of each training sample, counted from 0, or its values.
    x_test : ndarray, shape (n_test, ...)
        Test samples.
    y_test : ndarray
        Their classes or values.
    name : str
        What the data is, for titles and messages.
    feature_names, class_names : tuple of str
        What features and classes are called; empty where that is not known.
    """

    x_train: NDArray[Any]
    y_train: NDArray[Any]
    x_test: NDArray[Any]
    y_test: NDArray[Any]
    name: str
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Name and shapes; the arrays themselves would fill the screen."""
        return f"DataSet({self.name!r}, train={self.x_train.shape}, test={self.x_test.shape})"

    def summary(self) -> str:
        """What is in it, as a table: samples, type, range, zeros, missing numbers, and how many there are of a class.

        Examples
        --------
        >>> import numpy as np
        >>> X, y = np.array([[0, 1.5], [2, 0], [0, 0], [3, np.nan]]), np.array([0, 1, 1, 0])
        >>> print(DataSet(X[:3], y[:3], X[3:], y[3:], "few", class_names=("no", "yes")).summary())
                            train        test
        samples                 3           1
        features                2           2
        type              float64     float64
        range              0 to 2      3 to 3
        zeros              66.7 %       0.0 %
        missing                 0           1
        class 0: no    1 (33.3 %) 1 (100.0 %)
        class 1: yes   2 (66.7 %)   0 (0.0 %)
        """
        parts = {"train": (self.x_train, self.y_train), "test": (self.x_test, self.y_test)}
        return summarize(parts, self.class_names)
