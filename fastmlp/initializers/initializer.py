"""What all initialisers share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from ..checks import is_number, make_plain

_POSITIVE = {"stddev", "scale", "gain"}


@dataclass(frozen=True)
class Initializer:
    """What all initialisers share: `shape` is (inputs, units), (1, units) for biases; `random` of the same shape."""

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        make_plain(self)
        for option in fields(self):
            value = getattr(self, option.name)
            if option.type == "float" and not (is_number(value) and np.isfinite(value)):
                raise ValueError(f"{type(self).__name__}: {option.name} is {value!r}; expected a number")
        for name in _POSITIVE & {option.name for option in fields(self)}:
            if getattr(self, name) <= 0:
                raise ValueError(
                    f"{type(self).__name__}: {name} is {getattr(self, name)!r}; expected a number above 0"
                )

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
