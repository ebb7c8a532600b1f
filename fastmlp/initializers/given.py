"""Initial numbers that the user gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .initializer import Initializer


@dataclass(frozen=True)
class Constant(Initializer):
    """The same number everywhere.

    Parameters
    ----------
    value : float

    Examples
    --------
    >>> Dense(2, bias_initializer=Constant(0.1)).build(3).bias
    array([0.1, 0.1], dtype=float32)
    """

    value: float = 0.0
    kind: ClassVar[str] = "constant"
    is_random: ClassVar[bool] = False

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """The value."""
        return np.full(random.shape, float(self.value))


@dataclass(frozen=True, eq=False, repr=False)
class FromArray(Initializer):
    """Given numbers. A model file keeps the trained weights, not these numbers.

    Parameters
    ----------
    values : array_like, shape (inputs, units), or (units,) for biases
        Finite numbers.

    Examples
    --------
    >>> Dense(2, initializer=FromArray([[1, 2], [3, 4], [5, 6]]))
    Dense(units=2, activation='identity', initializer=FromArray(shape=(3, 2)))
    """

    values: ArrayLike
    kind: ClassVar[str] = "array"
    is_random: ClassVar[bool] = False

    def __post_init__(self) -> None:
        try:
            array = np.array(self.values, np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"FromArray: expected numbers, got {self.values!r:.80}") from error
        if not np.isfinite(array).all():
            raise ValueError("FromArray: expected finite numbers, got NaN or infinity")
        array.flags.writeable = False
        object.__setattr__(self, "values", array)

    def __repr__(self) -> str:
        return f"FromArray(shape={np.shape(self.values)})"

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """The values."""
        array = np.asarray(self.values)
        wanted = random.shape if array.ndim > 1 else (random.size,) if random.shape[0] == 1 else random.shape
        if array.shape != wanted:
            raise ValueError(f"FromArray: expected an array of shape {wanted}, got {array.shape}")
        return array.reshape(random.shape)

    def config(self) -> dict[str, Any]:
        """The kind only."""
        return {"kind": self.kind}
