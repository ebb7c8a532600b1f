"""Layers that add noise in training, against overfitting."""

from __future__ import annotations

from typing import Any

from ..checks import FRACTION, NOT_NEGATIVE, checked
from .layer import Layer


class Dropout(Layer):
    """In training, sets each value to 0 with probability `rate` and divides the others by 1 - rate.

    Parameters
    ----------
    rate : float
        Share of the values that are dropped, in [0, 1).

    Examples
    --------
    >>> Dropout(0.5).build(4).forward([[1.0, 1.0, 1.0, 1.0]]).tolist()
    [[0.0, 2.0, 2.0, 2.0]]
    """

    kind = "dropout"

    rate: float

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = checked("Dropout", "rate", rate, FRACTION)

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {"rate": self.rate}


class GaussianNoise(Layer):
    """In training, adds random numbers of the normal distribution to all values.

    Parameters
    ----------
    stddev : float
        Their standard deviation, at least 0; their mean is 0.

    Examples
    --------
    >>> model = Sequential([GaussianNoise(0.1), Dense(1)]).build(3)
    >>> bool((model.predict([1.0, 2.0, 3.0]) == model.predict([1.0, 2.0, 3.0])).all())
    True
    """

    kind = "gaussian_noise"

    stddev: float

    def __init__(self, stddev: float) -> None:
        super().__init__()
        self.stddev = checked("GaussianNoise", "stddev", stddev, NOT_NEGATIVE)

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {"stddev": self.stddev}
