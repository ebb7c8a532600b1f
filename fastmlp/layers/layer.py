"""What all layers share: a description of what a layer does, and a handle once it is built."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from inspect import get_annotations
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike

Shape = tuple[int, ...]


class Handle(Protocol):
    """What a built layer asks of the engine; the class is in `engine/building.py`."""

    network: Any
    position: int

    def trained_rows(self, arena: np.ndarray | None = None) -> np.ndarray:
        """The layer's trained numbers, or what belongs to them in another arena: a view."""

    def constant_rows(self, count: int, arena: np.ndarray | None = None) -> np.ndarray:
        """The layer's numbers that no optimizer updates, or what belongs to them in another arena: a view."""

    def centers(self, arena: np.ndarray | None = None) -> np.ndarray:
        """The float64 numbers that are subtracted from the network's samples as they are read: a view."""

    def forward(self, X: Any) -> np.ndarray:
        """Run the layer forward."""

    def backward(self, d_y: ArrayLike) -> np.ndarray:
        """Run the layer backward."""

    def step(self, optimizer: Any) -> None:
        """Update the layer's parameters."""


class Layer:
    """What all layers share. A layer belongs to one network; one that is used alone is built with `build`.

    Attributes
    ----------
    network : Network
        The network that the layer is part of; a RuntimeError before it is built.
    """

    kind = ""
    activation = "identity"
    needs_whole_batch = False  # in training, even to compute one row
    _option_names = frozenset[str]()  # what the class and its bases declare

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._option_names = frozenset(option for base in cls.__mro__ for option in get_annotations(base))

    def __init__(self) -> None:
        self._handle: Handle | None = None

    def __setattr__(self, name: str, value: object) -> None:
        """Set an option once, when the layer is made: plans and files hold the options of that time."""
        kind = type(self)
        if name in kind._option_names and name not in self.__dict__:
            self.__dict__[name] = value
            return
        if name.startswith("_") or isinstance(getattr(kind, name, None), property):
            super().__setattr__(name, value)
            return
        if name not in kind._option_names:
            known = ", ".join(sorted(kind._option_names))
            raise AttributeError(
                f"{kind.__name__}: expected one of the attributes {known}, got {name!r}, which would have no effect"
            )
        raise AttributeError(f"{kind.__name__}: {name}: cannot be changed; make a new layer")

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
        """Raise a ValueError if this layer cannot follow these."""

    def check_ready(self) -> None:
        """Raise a RuntimeError if something is missing that neither `build` nor training gives this layer."""

    def array_shapes(self, inputs: Shape) -> dict[str, Shape]:
        """The shapes of its arrays, for samples of this shape: `parameters`, then `constants`."""
        return {}

    # Once it is built

    @property
    def is_built(self) -> bool:
        """Whether it belongs to a network."""
        return self._handle is not None

    @property
    def handle(self) -> Handle:
        """What the engine does for this layer; a RuntimeError before it is built."""
        if self._handle is None:
            raise RuntimeError(f"{self!r} is not built: fit the model, or call build(features)")
        return self._handle

    @property
    def network(self) -> Any:
        """The network that the layer is part of."""
        return self.handle.network

    def attach(self, handle: Handle) -> None:
        """Make the layer part of a network."""
        self._handle = handle

    def initialize(self, seed: int) -> None:
        """Write the initial parameters, where they are not 0."""

    def trained_in(self, arena: np.ndarray) -> dict[str, np.ndarray]:
        """The trained arrays by name, or what belongs to them in another arena: views."""
        return {}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The trained arrays by name: views into the network's memory."""
        return self.trained_in(self.network.params) if self.is_built else {}

    def constants_in(self, arena: np.ndarray) -> dict[str, np.ndarray]:
        """The arrays by name that belong to the model but are not trained, or what belongs to them: views."""
        return {}

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """The arrays by name that belong to the model but are not trained: views into the network's memory."""
        return self.constants_in(self.network.params) if self.is_built else {}

    def build(self, features: int, *, seed: int = 0, dtype: str = "float32") -> Self:
        """Give a layer that is used alone its parameters.

        Parameters
        ----------
        features : int
            Columns of its input.
        seed : int
            Key of the initial weights.
        dtype : str
            `float32`, `float64` or `mixed_bfloat16`.

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
        # By name and only here: descriptions import nothing of the engine.
        building = import_module("...engine.building", __name__)
        building.build_network([self], (features,), dtype, seed)
        return self

    def forward(self, X: Any) -> np.ndarray:
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
        return self.handle.forward(X)

    def backward(self, d_y: ArrayLike) -> np.ndarray:
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
        return self.handle.backward(d_y)
