"""What every loader returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """Images and labels for training, and others for testing.

    Images stay bytes: the kernels scale them while they gather a batch.

    Attributes
    ----------
    x_train : ndarray of uint8, shape (n_train, height, width)
        Training images, 0 (background) to 255 (ink).
    y_train : ndarray of uint8, shape (n_train,)
        The class of each training image, counted from 0.
    x_test : ndarray of uint8, shape (n_test, height, width)
        Test images.
    y_test : ndarray of uint8, shape (n_test,)
        The class of each test image.
    name : str
        What the data is, for titles and messages.
    """

    x_train: NDArray[np.uint8]
    y_train: NDArray[np.uint8]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.uint8]
    name: str

    def __repr__(self) -> str:
        """Name and shapes; the arrays themselves would fill the screen."""
        return f"DataSet({self.name!r}, train={self.x_train.shape}, test={self.x_test.shape})"
