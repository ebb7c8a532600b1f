"""Initial numbers that are drawn independently from a distribution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..checks import look_up, refusal
from ..portable_math import normal_quantile
from .initializer import Initializer


def standard_normal(random: np.ndarray) -> np.ndarray:
    """Normal numbers from uniform ones in [0, 1), by the quantile function at the middles of 2^52 intervals."""
    return normal_quantile((np.floor(random * 2.0**52) + 0.5) * 2.0**-52)


_BELOW = 0.02275013194817921  # probability of a normal number below -2


def _truncated_normal(random: np.ndarray) -> np.ndarray:
    """Normal numbers between -2 and 2."""
    return normal_quantile(_BELOW + random * (1.0 - 2.0 * _BELOW))


def _uniform(random: np.ndarray) -> np.ndarray:
    """Numbers from -1 to 1."""
    return 2.0 * random - 1.0


# By what a variance is divided.
_FANS: dict[str, Callable[[int, int], float]] = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
    "fan_in_plus_one": lambda fan_in, fan_out: fan_in + 1,
}


@dataclass(frozen=True)
class VarianceScaling(Initializer):
    """Mean 0 and variance scale / fan.

    Parameters
    ----------
    scale : float
        Above 0.
    fan : str
        `fan_in`, `fan_out`, their mean `fan_avg`, or `fan_in_plus_one`.
    distribution : str
        `normal` or `uniform`.

    Examples
    --------
    >>> layer = Dense(200, initializer=VarianceScaling(2.0, "fan_in", "uniform")).build(50)
    >>> round(float(layer.weight.var()), 3)  # 2 / 50
    0.04
    """

    scale: float = 1.0
    fan: str = "fan_in"
    distribution: str = "normal"
    kind: ClassVar[str] = "variance_scaling"

    def __post_init__(self) -> None:
        super().__post_init__()
        look_up("VarianceScaling: fan", self.fan, _FANS)
        look_up("VarianceScaling: distribution", self.distribution, {"normal": 0, "uniform": 0})

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """Numbers of this variance."""
        variance = self.scale / _FANS[self.fan](fan_in, fan_out)
        if self.distribution == "uniform":
            return float(np.sqrt(3.0 * variance)) * _uniform(random)
        return float(np.sqrt(variance)) * standard_normal(random)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal numbers.

    Parameters
    ----------
    stddev : float
        Standard deviation, above 0.
    mean : float

    Examples
    --------
    >>> layer = Dense(200, initializer=Normal(0.1)).build(50)
    >>> round(float(layer.weight.std()), 2)
    0.1
    """

    stddev: float = 0.05
    mean: float = 0.0
    kind: ClassVar[str] = "normal"

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """Normal numbers."""
        return self.mean + self.stddev * standard_normal(random)


@dataclass(frozen=True)
class TruncatedNormal(Initializer):
    """Normal numbers within two standard deviations of the mean.

    Parameters
    ----------
    stddev : float
        Standard deviation before the cut, above 0.
    mean : float

    Examples
    --------
    >>> layer = Dense(200, initializer=TruncatedNormal(0.1)).build(50)
    >>> bool(abs(layer.weight).max() <= 0.2)
    True
    """

    stddev: float = 0.05
    mean: float = 0.0
    kind: ClassVar[str] = "truncated_normal"

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """Normal numbers within mean - 2 stddev, mean + 2 stddev."""
        return self.mean + self.stddev * _truncated_normal(random)


@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniformly distributed numbers.

    Parameters
    ----------
    low, high : float
        Their range, low < high.

    Examples
    --------
    >>> layer = Dense(200, initializer=Uniform(-1.0, 0.0)).build(50)
    >>> bool(((layer.weight >= -1) & (layer.weight < 0)).all())
    True
    """

    low: float = -0.05
    high: float = 0.05
    kind: ClassVar[str] = "uniform"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low >= self.high:
            raise refusal("Uniform: low", f"a number below high={self.high!r}", self.low)

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """Numbers from low to high."""
        return self.low + (self.high - self.low) * random
