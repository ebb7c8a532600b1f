"""Dense layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..activations import choose_activation, initializer_of
from ..checks import COUNT, POSITIVE, checked
from ..initializers import Initializer, get_initializer, initial_biases, initial_weights
from ..regularizers import L1L2, checked_regularizer
from .layer import Layer, Shape


class Dense(Layer):
    """A fully connected layer: y = f(x W + b).

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
        Largest norm of the weights of a unit, without its bias: after each step, larger ones are scaled down.
    slope : float
        Slope of `leaky_relu` for negative numbers; above 0.
    alpha : float
        `elu` approaches -alpha for large negative numbers; above 0.

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

    units: int
    activation: str
    activation_options: dict[str, float]
    initializer: str | Initializer
    bias_initializer: str | Initializer
    regularizer: L1L2 | None
    max_norm: float | None

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
        self.units = checked("Dense", "units", units, COUNT)
        self.activation, self.activation_options = choose_activation(
            "Dense", activation, {"slope": slope, "alpha": alpha}
        )
        if initializer != "auto":
            get_initializer(initializer)
        get_initializer(bias_initializer)
        self.initializer = initializer
        self.bias_initializer = bias_initializer
        self.regularizer = None if regularizer is None else checked_regularizer(regularizer)
        if max_norm is not None:
            max_norm = checked("Dense", "max_norm", max_norm, POSITIVE, otherwise="None")
        self.max_norm = max_norm

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again; defaults are left out."""
        options: dict[str, Any] = {"units": self.units, "activation": self.activation}
        defaults = {"initializer": "auto", "bias_initializer": "zeros", "regularizer": None, "max_norm": None}
        for name, default in defaults.items():
            if getattr(self, name) != default:
                options[name] = getattr(self, name)
        return options | self.activation_options

    def output_shape(self, shape: Shape) -> Shape:
        """(units,), from one row of numbers."""
        self.check_row(shape)
        return (self.units,)

    def initial_weight(self, inputs: int, seed: int, position: int) -> np.ndarray:
        """The initial weights, shape (inputs, units)."""
        name = self.initializer
        if name == "auto":
            name = initializer_of(self.activation)
        return initial_weights(name, inputs, self.units, seed, position)

    def array_shapes(self, inputs: Shape) -> dict[str, Shape]:
        """The shapes of `weight` and `bias`."""
        return {"weight": (*inputs, self.units), "bias": (self.units,)}

    def initial_bias(self, inputs: int, seed: int, position: int) -> np.ndarray:
        """The initial biases, shape (units,)."""
        return initial_biases(self.bias_initializer, inputs, self.units, seed, position)

    def initialize(self, seed: int) -> None:
        """Write the initial weights and biases."""
        rows = self.handle.trained_rows()
        inputs = len(rows) - 1
        rows[:-1] = self.initial_weight(inputs, seed, self.handle.position)
        rows[-1] = self.initial_bias(inputs, seed, self.handle.position)

    def trained_in(self, arena: np.ndarray) -> dict[str, np.ndarray]:
        """`weight` and `bias`."""
        rows = self.handle.trained_rows(arena)
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
