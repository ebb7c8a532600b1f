"""Initial weights and biases, from the counter-based generator: the same bits on any machine and number of threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .elementary import normal_quantile
from .kernels import orthonormal, rng
from .names import look_up


def _standard_normal(random: np.ndarray) -> np.ndarray:
    """Normal numbers from uniform ones in [0, 1), by the quantile function at the middles of 2^52 intervals."""
    return normal_quantile((np.floor(random * 2.0**52) + 0.5) * 2.0**-52)


_BELOW = 0.02275013194817921  # probability of a normal number below -2


def _truncated_normal(random: np.ndarray) -> np.ndarray:
    """The same, of those that lie between -2 and 2."""
    return normal_quantile(_BELOW + random * (1.0 - 2.0 * _BELOW))


def _uniform(random: np.ndarray) -> np.ndarray:
    """Numbers from -1 to 1."""
    return 2.0 * random - 1.0


@dataclass(frozen=True)
class Initializer:
    """What all initialisers share: `shape` is (inputs, units), (1, units) for biases; `random` of the same shape."""

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            if option.type == "float" and not _is_number(value):
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


_POSITIVE = {"stddev", "scale", "gain"}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(value))


# What a variance is divided by.
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
    """

    scale: float = 1.0
    fan: str = "fan_in"
    distribution: str = "normal"
    kind: ClassVar[str] = "variance_scaling"

    def __post_init__(self) -> None:
        super().__post_init__()
        look_up("fan of VarianceScaling", self.fan, _FANS)
        look_up("distribution of VarianceScaling", self.distribution, {"normal": 0, "uniform": 0})

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """Numbers of this variance."""
        variance = self.scale / _FANS[self.fan](fan_in, fan_out)
        if self.distribution == "uniform":
            return float(np.sqrt(3.0 * variance)) * _uniform(random)
        return float(np.sqrt(variance)) * _standard_normal(random)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal numbers.

    Parameters
    ----------
    stddev : float
        Standard deviation, above 0.
    mean : float
    """

    stddev: float = 0.05
    mean: float = 0.0
    kind: ClassVar[str] = "normal"

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """Normal numbers."""
        return self.mean + self.stddev * _standard_normal(random)


@dataclass(frozen=True)
class TruncatedNormal(Initializer):
    """Normal numbers, of which none lies beyond two standard deviations.

    Parameters
    ----------
    stddev : float
        Standard deviation before the cut, above 0.
    mean : float
    """

    stddev: float = 0.05
    mean: float = 0.0
    kind: ClassVar[str] = "truncated_normal"

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """Normal numbers within mean - 2 stddev, mean + 2 stddev."""
        return self.mean + self.stddev * _truncated_normal(random)


@dataclass(frozen=True)
class Uniform(Initializer):
    """Even numbers.

    Parameters
    ----------
    low, high : float
        Their range, low < high.
    """

    low: float = -0.05
    high: float = 0.05
    kind: ClassVar[str] = "uniform"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low >= self.high:
            raise ValueError(f"Uniform: low is {self.low!r} and high {self.high!r}; expected low < high")

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """Numbers from low to high."""
        return self.low + (self.high - self.low) * random


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """Orthonormal columns, or rows if there are fewer rows, times `gain` (Saxe, McClelland and Ganguli, 2014).

    Parameters
    ----------
    gain : float
        Above 0.
    """

    gain: float = 1.0
    kind: ClassVar[str] = "orthogonal"

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """The orthonormal columns of a random normal matrix."""
        normal = _standard_normal(random)
        wide = normal.shape[0] < normal.shape[1]
        columns = np.ascontiguousarray(normal.T if wide else normal)
        for _ in range(2):
            orthonormal.orthonormalise(columns, np.empty(columns.shape[1]))
        return self.gain * (columns.T if wide else columns)


@dataclass(frozen=True)
class Constant(Initializer):
    """The same number everywhere.

    Parameters
    ----------
    value : float
    """

    value: float = 0.0
    kind: ClassVar[str] = "constant"

    def __call__(self, fan_in: int, fan_out: int, random: np.ndarray) -> np.ndarray:
        """The value."""
        return np.full(random.shape, float(self.value))


@dataclass(frozen=True, eq=False, repr=False)
class FromArray(Initializer):
    """Given numbers. A model file keeps the trained weights, and of this only that it was there.

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


# What each name stands for.
INITIALIZERS: dict[str, Initializer] = {
    "glorot_uniform": VarianceScaling(1.0, "fan_avg", "uniform"),
    "glorot_normal": VarianceScaling(1.0, "fan_avg", "normal"),
    "he_uniform": VarianceScaling(2.0, "fan_in", "uniform"),
    "he_normal": VarianceScaling(2.0, "fan_in", "normal"),
    "lecun_uniform": VarianceScaling(1.0, "fan_in", "uniform"),
    "lecun_normal": VarianceScaling(1.0, "fan_in", "normal"),
    "xavier_fan_in": VarianceScaling(2.0, "fan_in_plus_one", "normal"),
    "normal": Normal(),
    "truncated_normal": TruncatedNormal(),
    "uniform": Uniform(),
    "orthogonal": Orthogonal(),
    "zeros": Constant(0.0),
    "ones": Constant(1.0),
}
_KINDS: dict[str, type[Initializer]] = {
    initializer.kind: initializer
    for initializer in (VarianceScaling, Normal, TruncatedNormal, Uniform, Orthogonal, Constant)
}

Given = str | Initializer


def get_initializer(given: Given) -> Initializer:
    """An initialiser, or the one of this name.

    `glorot_*`: variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010). `he_*`: 2 / fan_in (He et al., 2015), for
    ReLU. `lecun_*`: 1 / fan_in (LeCun et al., 1998). Each `uniform` or `normal`. `xavier_fan_in`: normal with variance
    2 / (fan_in + 1). `normal`, `truncated_normal`, `uniform`, `orthogonal`, `zeros`, `ones`.

    Raises
    ------
    ValueError
        If the name is not known.
    """
    return given if isinstance(given, Initializer) else look_up("initializer", given, INITIALIZERS)


def initializer_from_config(config: Any) -> Given:
    """What `Initializer.config` described, or a name; of an array, which is not kept, a name in its place.

    Raises
    ------
    ValueError
        If a kind or an option is not known.
    """
    if not isinstance(config, dict):
        return config
    if config == {"kind": FromArray.kind}:
        return "zeros"
    kind = look_up("initializer", config.get("kind"), _KINDS)
    options = {name: value for name, value in config.items() if name != "kind"}
    unknown = options.keys() - {option.name for option in fields(kind)}
    if unknown:
        raise ValueError(f"{kind.__name__}: unknown options {sorted(unknown)}")
    return kind(**options)


def initial_weights(given: Given, fan_in: int, fan_out: int, seed: int, layer: int) -> np.ndarray:
    """Draw the weights of a dense layer.

    Parameters
    ----------
    given : str or Initializer
        See `get_initializer`.
    fan_in, fan_out : int
        Numbers of inputs and of units.
    seed, layer : int
        Key of the random numbers.

    Returns
    -------
    ndarray, float64, shape (fan_in, fan_out)
    """
    random = _random((fan_in, fan_out), seed, rng.WEIGHTS, layer)
    return get_initializer(given)(fan_in, fan_out, random)


def initial_biases(given: Given, fan_in: int, fan_out: int, seed: int, layer: int) -> np.ndarray:
    """Draw the biases of a dense layer, shape (fan_out,); arguments as those of `initial_weights`."""
    random = _random((1, fan_out), seed, rng.BIASES, layer)
    return get_initializer(given)(fan_in, fan_out, random)[0]


def _random(shape: tuple[int, int], seed: int, purpose: int, layer: int) -> np.ndarray:
    """Uniform random numbers in [0, 1) with all 53 bits."""
    bits = np.empty(shape[0] * shape[1], np.uint64)
    rng.fill(bits, seed, purpose, layer)
    return ((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(shape)
