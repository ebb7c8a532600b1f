"""Layers: descriptions of what a network does, and handles on its parameters once it is built."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .initializers import (
    Initializer,
    get_initializer,
    initial_biases,
    initial_weights,
    initializer_from_config,
)
from .kernels import activations
from .names import look_up
from .regularizers import L1L2, regularizer_from_config
from .samples import as_batch
from .sparse_matrix import SparseMatrix

if TYPE_CHECKING:
    from .lowering import Lowering
    from .network import Network

Shape = tuple[int, ...]

ACTIVATIONS = (*activations.CODES, "softmax")
_KNOWN_ACTIVATIONS = {name: name for name in ACTIVATIONS}
_LIKE_RELU = {"relu", "leaky_relu"}


class Layer:
    """What all layers share. A layer belongs to one network; one that stands alone is built with `build`.

    Attributes
    ----------
    network : Network
        What runs it; an error before it is built.
    span : slice
        The operations of this layer in the network's plan.
    """

    kind = ""
    activation = "identity"

    def __init__(self) -> None:
        self._network: Network | None = None
        self._position = 0

    def __repr__(self) -> str:
        options = ", ".join(f"{key}={value!r}" for key, value in self.options().items())
        return f"{type(self).__name__}({options})"

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {}

    def config(self) -> dict[str, Any]:
        """Kind and options, as a model file keeps them."""
        described = {
            name: value.config() if hasattr(value, "config") else value
            for name, value in self.options().items()
        }
        return {"kind": self.kind, **described}

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of one sample after this layer; a ValueError if it does not fit."""
        return shape

    def lower(self, into: Lowering) -> None:
        """Add this layer's operations to a plan."""

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The trained arrays by name: views into the network's memory."""
        return {}

    @property
    def network(self) -> Network:
        """What runs this layer."""
        if self._network is None:
            raise RuntimeError(f"{self!r} is not built: fit the model, or call build(features)")
        return self._network

    @property
    def span(self) -> slice:
        """The layers of the network that this one stands for: itself."""
        return slice(self._position, self._position + 1)

    def build(self, features: int, *, seed: int = 0, dtype: str = "float32") -> Layer:
        """Give a layer that stands alone its parameters.

        Parameters
        ----------
        features : int
            Columns of its input.
        seed : int
            Key of the initial weights.
        dtype : str
            `float32` or `float64`.

        Returns
        -------
        Layer
            Itself.

        Examples
        --------
        >>> layer = Dense(3, "relu").build(2)
        >>> layer.forward([[1.0, -1.0]]).shape
        (1, 3)
        """
        from .network import Network

        Network([self], (features,), dtype, seed)
        return self

    def forward(self, X: np.typing.ArrayLike | SparseMatrix) -> np.ndarray:
        """Run this layer, as in training.

        Parameters
        ----------
        X : array_like, shape (rows, columns) or (columns,), or sparse matrix
            Its input: a batch, or one sample.

        Returns
        -------
        ndarray
            Its output, a copy; one row for each of X.
        """
        network, span = self.network, self.span
        samples, one = as_batch(X, (network.widths[span.start],), network.dtype)
        outputs = network.forward(span, samples)
        return outputs[0] if one else outputs

    def backward(self, d_y: np.typing.ArrayLike) -> np.ndarray:
        """Propagate the gradient of the loss through this layer, after `forward` of the same rows.

        Parameters
        ----------
        d_y : array_like, of the shape of the output
            Gradient of the loss with respect to the output.

        Returns
        -------
        ndarray, of the shape of the input
            Gradient with respect to the input. `d_weight` and `d_bias` then hold those of the parameters.
        """
        return self.network.backward(self.span, d_y)


class Dense(Layer):
    """Every unit sees every input: y = f(x W + b).

    Parameters
    ----------
    units : int
        Number of outputs, at least 1.
    activation : str
        f: one of `ACTIVATIONS`.
    initializer : str or Initializer
        Initial weights: `auto` is `he_uniform` before ReLU and its relatives, else `glorot_uniform`; others are in
        `fastmlp.initializers`.
    bias_initializer : str or Initializer
        Initial biases.
    regularizer : L1L2, optional
        Penalty on the weights: `L1(1e-4)`, `L2(1e-4)` or `L1L2(1e-5, 1e-4)` of `fastmlp.regularizers`.
    max_norm : float, optional
        Largest norm of the weights of a unit, without its bias: after each step, longer ones are scaled down.
    slope : float
        Slope of `leaky_relu` below 0, above 0.

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
    ) -> None:
        super().__init__()
        if isinstance(units, bool) or not isinstance(units, (int, np.integer)) or units < 1:
            raise ValueError(f"Dense: units is {units!r}; expected a whole number of at least 1")
        self.units = int(units)
        self.activation = look_up("activation", activation, _KNOWN_ACTIVATIONS)
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
        self.slope = _check_slope("Dense", slope)

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again; defaults are left out."""
        options: dict[str, Any] = {"units": self.units, "activation": self.activation}
        defaults = {"initializer": "auto", "bias_initializer": "zeros", "regularizer": None, "max_norm": None}
        for name, default in defaults.items():
            if getattr(self, name) != default:
                options[name] = getattr(self, name)
        if self.activation == "leaky_relu":
            options["slope"] = self.slope
        return options

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
        into.activation(self.activation, self.slope)

    def initial_weight(self, inputs: int, seed: int, position: int) -> np.ndarray:
        """The weights that training starts from, shape (inputs, units)."""
        name = self.initializer
        if name == "auto":
            name = "he_uniform" if self.activation in _LIKE_RELU else "glorot_uniform"
        return initial_weights(name, inputs, self.units, seed, position)

    def initial_bias(self, inputs: int, seed: int, position: int) -> np.ndarray:
        """The biases that training starts from, shape (units,)."""
        return initial_biases(self.bias_initializer, inputs, self.units, seed, position)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """`weight` and `bias`."""
        return {"weight": self.weight, "bias": self.bias}

    @property
    def weight(self) -> np.ndarray:
        """Weights, shape (inputs, units)."""
        return self.network.dense_matrix(self._position, self.network.params)[:-1]

    @weight.setter
    def weight(self, values: np.typing.ArrayLike) -> None:
        self.weight[...] = values

    @property
    def bias(self) -> np.ndarray:
        """Biases, shape (units,)."""
        return self.network.dense_matrix(self._position, self.network.params)[-1]

    @bias.setter
    def bias(self, values: np.typing.ArrayLike) -> None:
        self.bias[...] = values

    @property
    def d_weight(self) -> np.ndarray:
        """Gradient of the weights."""
        return self.network.dense_matrix(self._position, self.network.kept_gradients())[:-1]

    @property
    def d_bias(self) -> np.ndarray:
        """Gradient of the biases."""
        return self.network.dense_matrix(self._position, self.network.kept_gradients())[-1]


class Activation(Layer):
    """An activation as a layer of its own.

    Parameters
    ----------
    activation : str
        One of `ACTIVATIONS`.
    slope : float
        Slope of `leaky_relu` below 0, above 0.
    """

    kind = "activation"

    def __init__(self, activation: str, *, slope: float = 0.01) -> None:
        super().__init__()
        self.activation = look_up("activation", activation, _KNOWN_ACTIVATIONS)
        self.slope = _check_slope("Activation", slope)

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        options: dict[str, Any] = {"activation": self.activation}
        return options | {"slope": self.slope} if self.activation == "leaky_relu" else options

    def lower(self, into: Lowering) -> None:
        """The activation, in place."""
        into.activation(self.activation, self.slope)


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


class Flatten(Layer):
    """Makes one row of numbers of each sample, whatever its shape."""

    kind = "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        """(product of the dimensions,)."""
        return (math.prod(shape),)


def _is_positive(number: object) -> bool:
    return isinstance(number, (int, float)) and not isinstance(number, bool) and 0 < number < math.inf


def _check_slope(layer: str, slope: float) -> float:
    if not _is_positive(slope):
        raise ValueError(f"{layer}: slope is {slope!r}; expected a number above 0")
    return float(slope)


_LAYERS: dict[str, Callable[..., Layer]] = {kind.kind: kind for kind in (Dense, Activation, Dropout, Flatten)}
_OPTIONS = {
    "dense": {"units", "activation", "initializer", "bias_initializer", "regularizer", "max_norm", "slope"},
    "activation": {"activation", "slope"},
    "dropout": {"rate"},
    "flatten": set[str](),
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
