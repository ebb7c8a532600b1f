"""Layers: descriptions of what a network does, and handles on its parameters once it is built."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .activations import ACTIVATION_OPTIONS, choose_activation, initializer_of
from .initializers import (
    Initializer,
    get_initializer,
    initial_biases,
    initial_weights,
    initializer_from_config,
)
from .layer import Layer, Shape
from .names import look_up
from .normalization import BatchNorm, LayerNorm
from .regularizers import L1L2, regularizer_from_config
from .scalers import SCALERS

if TYPE_CHECKING:
    from .lowering import Lowering


class Dense(Layer):
    """Every unit sees every input: y = f(x W + b).

    Parameters
    ----------
    units : int
        Number of outputs, at least 1.
    activation : str
        f: `identity`, `relu`, `leaky_relu`, `elu`, `selu`, `gelu` (the exact form), `gelu_tanh` (its approximation),
        `silu`, `mish`, `softplus`, `softsign`, `tanh`, `sigmoid`, `hard_sigmoid`, `hard_swish`, `softmax` or
        `log_softmax`.
    initializer : str or Initializer
        Initial weights: `auto` is `he_uniform` before ReLU and its relatives, `lecun_uniform` before `selu`, else
        `glorot_uniform`; others are in `fastmlp.initializers`.
    bias_initializer : str or Initializer
        Initial biases.
    regularizer : L1L2, optional
        Penalty on the weights: `L1(1e-4)`, `L2(1e-4)` or `L1L2(1e-5, 1e-4)` of `fastmlp.regularizers`.
    max_norm : float, optional
        Largest norm of the weights of a unit, without its bias: after each step, longer ones are scaled down.
    slope : float
        Slope of `leaky_relu` for negative numbers; above 0.
    alpha : float
        Where `elu` ends for large negative numbers, at -alpha; above 0.

    Attributes
    ----------
    weight : ndarray, shape (inputs, units)
        A view: writing to it changes the network.
    bias : ndarray, shape (units,)
    d_weight, d_bias : ndarray
        Their gradients after `backward`.

    Examples
    --------
    >>> Dense(128, "relu")
    Dense(units=128, activation='relu')
    """

    kind = "dense"

    def __init__(
        self,
        units: int,
        activation: str = "identity",
        *,
        initializer: str | Initializer = "auto",
        bias_initializer: str | Initializer = "zeros",
        regularizer: L1L2 | None = None,
        max_norm: float | None = None,
        slope: float = 0.01,
        alpha: float = 1.0,
    ) -> None:
        super().__init__()
        if isinstance(units, bool) or not isinstance(units, (int, np.integer)) or units < 1:
            raise ValueError(f"Dense: units is {units!r}; expected a whole number of at least 1")
        self.units = int(units)
        self.activation, self._option = choose_activation(
            "Dense", activation, {"slope": slope, "alpha": alpha}
        )
        if initializer != "auto":
            get_initializer(initializer)
        get_initializer(bias_initializer)
        self.initializer, self.bias_initializer = initializer, bias_initializer
        if regularizer is not None and not isinstance(regularizer, L1L2):
            raise ValueError(f"Dense: regularizer is {regularizer!r}; expected one such as L2(1e-4), or None")
        self.regularizer = regularizer
        if max_norm is not None and not _is_positive(max_norm):
            raise ValueError(f"Dense: max_norm is {max_norm!r}; expected a number above 0, or None")
        self.max_norm = max_norm

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again; defaults are left out."""
        options: dict[str, Any] = {"units": self.units, "activation": self.activation}
        defaults = {"initializer": "auto", "bias_initializer": "zeros", "regularizer": None, "max_norm": None}
        for name, default in defaults.items():
            if getattr(self, name) != default:
                options[name] = getattr(self, name)
        return options | self._option

    def output_shape(self, shape: Shape) -> Shape:
        """(units,), from one row of numbers."""
        if len(shape) != 1:
            raise ValueError(
                f"Dense({self.units}): expected samples that are rows of numbers, got samples of shape {shape}; "
                "add Flatten() before it"
            )
        return (self.units,)

    def lower(self, into: Lowering) -> None:
        """x W + b, then the activation in place."""
        penalty = self.regularizer or L1L2()
        into.dense(self.units, l1=penalty.l1, l2=2 * penalty.l2, max_norm=self.max_norm or 0.0)
        into.activation(self.activation, *self._option.values())

    def initial_weight(self, inputs: int, seed: int, position: int) -> np.ndarray:
        """The weights that training starts from, shape (inputs, units)."""
        name = self.initializer
        if name == "auto":
            name = initializer_of(self.activation)
        return initial_weights(name, inputs, self.units, seed, position)

    def array_shapes(self, inputs: Shape) -> dict[str, Shape]:
        """Those of `weight` and `bias`."""
        return {"weight": (*inputs, self.units), "bias": (self.units,)}

    def initial_bias(self, inputs: int, seed: int, position: int) -> np.ndarray:
        """The biases that training starts from, shape (units,)."""
        return initial_biases(self.bias_initializer, inputs, self.units, seed, position)

    def initialize(self, seed: int) -> None:
        """Write the initial weights and biases."""
        inputs = self.weight.shape[0]
        self.weight = self.initial_weight(inputs, seed, self._position)
        self.bias = self.initial_bias(inputs, seed, self._position)

    def trained_in(self, arena: np.ndarray) -> dict[str, np.ndarray]:
        """`weight` and `bias`."""
        rows = self.network.trained_rows(self._position, arena)
        return {"weight": rows[:-1], "bias": rows[-1]}

    @property
    def weight(self) -> np.ndarray:
        """Weights, shape (inputs, units)."""
        return self.trained_in(self.network.params)["weight"]

    @weight.setter
    def weight(self, values: np.typing.ArrayLike) -> None:
        self.weight[...] = values

    @property
    def bias(self) -> np.ndarray:
        """Biases, shape (units,)."""
        return self.trained_in(self.network.params)["bias"]

    @bias.setter
    def bias(self, values: np.typing.ArrayLike) -> None:
        self.bias[...] = values

    @property
    def d_weight(self) -> np.ndarray:
        """Gradient of the weights."""
        return self.trained_in(self.network.kept_gradients())["weight"]

    @property
    def d_bias(self) -> np.ndarray:
        """Gradient of the biases."""
        return self.trained_in(self.network.kept_gradients())["bias"]


class Activation(Layer):
    """An activation as a layer of its own.

    Parameters
    ----------
    activation : str
        One of those of `Dense`.
    slope, alpha : float
        Options of `leaky_relu` and of `elu`, as in `Dense`.
    """

    kind = "activation"

    def __init__(self, activation: str, *, slope: float = 0.01, alpha: float = 1.0) -> None:
        super().__init__()
        self.activation, self._option = choose_activation(
            "Activation", activation, {"slope": slope, "alpha": alpha}
        )

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {"activation": self.activation, **self._option}

    def lower(self, into: Lowering) -> None:
        """The activation."""
        into.activation(self.activation, *self._option.values())


class Dropout(Layer):
    """In training, sets each value to 0 with probability `rate` and divides the others by 1 - rate.

    Parameters
    ----------
    rate : float
        Share of the values that are dropped, in [0, 1).
    """

    kind = "dropout"

    def __init__(self, rate: float) -> None:
        super().__init__()
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
            raise ValueError(f"Dropout: rate is {rate!r}; expected a number from 0 and below 1")
        self.rate = float(rate)

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {"rate": self.rate}

    def lower(self, into: Lowering) -> None:
        """Nothing but in training."""
        into.dropout(self.rate)


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

    def __init__(self, stddev: float) -> None:
        super().__init__()
        if isinstance(stddev, bool) or not isinstance(stddev, (int, float)) or not 0 <= stddev < math.inf:
            raise ValueError(f"GaussianNoise: stddev is {stddev!r}; expected a number of at least 0")
        self.stddev = float(stddev)

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {"stddev": self.stddev}

    def lower(self, into: Lowering) -> None:
        """Nothing but in training."""
        into.noise(self.stddev)


class Flatten(Layer):
    """Makes one row of numbers of each sample, whatever its shape."""

    kind = "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        """(product of the dimensions,)."""
        return (math.prod(shape),)


def _is_positive(number: object) -> bool:
    return isinstance(number, (int, float)) and not isinstance(number, bool) and 0 < number < math.inf


_KINDS: tuple[type[Layer], ...] = (
    Dense, Activation, Dropout, GaussianNoise, LayerNorm, BatchNorm, Flatten, *SCALERS,
)  # fmt: skip
_LAYERS: dict[str, Callable[..., Layer]] = {kind.kind: kind for kind in _KINDS}
_OPTIONS = {
    "dense": {
        "units",
        "activation",
        "initializer",
        "bias_initializer",
        "regularizer",
        "max_norm",
        *ACTIVATION_OPTIONS,
    },
    "activation": {"activation", *ACTIVATION_OPTIONS},
    "dropout": {"rate"},
    "gaussian_noise": {"stddev"},
    "layer_norm": {"epsilon"},
    "batch_norm": {"momentum", "epsilon"},
    "flatten": set[str](),
    **{kind.kind: {"axis"} for kind in SCALERS},
}


_FROM_CONFIG: dict[str, Callable[[Any], Any]] = {
    "initializer": initializer_from_config,
    "bias_initializer": initializer_from_config,
    "regularizer": regularizer_from_config,
}


def layer_from_config(config: dict[str, Any]) -> Layer:
    """The layer that `Layer.config` described.

    Raises
    ------
    ValueError
        If a kind or an option is not known.
    """
    options = {key: value for key, value in config.items() if key != "kind"}
    kind = look_up("layer", config.get("kind"), _LAYERS)
    unknown = options.keys() - _OPTIONS[config["kind"]]
    if unknown:
        raise ValueError(f"layer {config['kind']!r}: unknown options {sorted(unknown)}")
    return kind(
        **{
            name: _FROM_CONFIG[name](value) if name in _FROM_CONFIG else value
            for name, value in options.items()
        }
    )
