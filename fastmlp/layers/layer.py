"""What all layers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine import manual
from ..engine.network import Network
from ..inputs.samples import Inputs, as_batch

if TYPE_CHECKING:
    from ..engine.lowering import Lowering

Shape = tuple[int, ...]


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
    needs_whole_batch = False  # in training, for what it does with one row

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

    def check_row(self, shape: Shape) -> None:
        """Raise a ValueError if a sample of this shape is no row of numbers."""
        if len(shape) != 1:
            raise ValueError(
                f"{self!r}: expected samples that are rows of numbers, got samples of shape {shape}; "
                "add Flatten() before it"
            )

    def check_place(self, before: Sequence[Layer]) -> None:
        """Raise a ValueError if this layer cannot stand behind these."""

    def check_ready(self) -> None:
        """Raise a RuntimeError if something is missing that neither `build` nor training gives this layer."""

    def lower(self, into: Lowering) -> None:
        """Add this layer's operations to a plan."""

    def array_shapes(self, inputs: Shape) -> dict[str, Shape]:
        """The shapes of its arrays, for samples of this shape: `parameters`, then `constants`."""
        return {}

    def initialize(self, seed: int) -> None:
        """Write what training starts from, where that is not 0."""

    def trained_in(self, arena: np.ndarray) -> dict[str, np.ndarray]:
        """The trained arrays by name, or what belongs to them in another arena: views."""
        return {}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The trained arrays by name: views into the network's memory."""
        return {} if self._network is None else self.trained_in(self._network.params)

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """The arrays by name that belong to the model but are not trained: views into the network's memory."""
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
        Network([self], (features,), dtype, seed)
        return self

    def forward(self, X: Inputs) -> np.ndarray:
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
        outputs = manual.forward(network, span, samples)
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
        return manual.backward(self.network, self.span, d_y)
