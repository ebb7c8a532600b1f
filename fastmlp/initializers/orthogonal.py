"""Initial weights that preserve lengths and angles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .distributions import standard_normal
from .initializer import Initializer


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """Orthonormal columns, or rows if there are fewer rows, times `gain` (Saxe, McClelland and Ganguli, 2014).

    Parameters
    ----------
    gain : float
        Above 0.

    Examples
    --------
    >>> weight = Dense(2, initializer=Orthogonal()).build(3, dtype="float64").weight
    >>> (weight.T @ weight).round(6).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    gain: float = 1.0
    kind: ClassVar[str] = "orthogonal"

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """The orthonormal columns of a random normal matrix."""
        from ..kernels.extras import orthonormal  # needs Numba, which a description does not wait for

        normal = standard_normal(random)
        wide = normal.shape[0] < normal.shape[1]
        columns = np.ascontiguousarray(normal.T if wide else normal)
        for _ in range(2):
            orthonormal.orthonormalise(columns, np.empty(columns.shape[1]))
        return self.gain * (columns.T if wide else columns)
