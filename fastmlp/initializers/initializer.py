"""What all initializers share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from ..checks import FINITE, POSITIVE, check_options

_ACCEPTED = {
    "stddev": POSITIVE, "scale": POSITIVE, "gain": POSITIVE,
    "mean": FINITE, "low": FINITE, "high": FINITE, "value": FINITE,
}  # fmt: skip


@dataclass(frozen=True)
class Initializer:
    """What all initializers share. Weights have the shape (inputs, units), biases the shape (1, units)."""

    kind: ClassVar[str] = ""
    is_random: ClassVar[bool] = True  # else it reads the shape of the random numbers alone

    def __post_init__(self) -> None:
        check_options(self, _ACCEPTED)

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """The initial numbers.

        Parameters
        ----------
        fan_in, fan_out : int
            Inputs and units of the layer.
        random : ndarray, float64
            Uniform random numbers in [0, 1), as many as are wanted.

        Returns
        -------
        ndarray, float64, of the shape of `random`
        """
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Kind and options, as a model file keeps them."""
        return {"kind": self.kind, **{option.name: getattr(self, option.name) for option in fields(self)}}
