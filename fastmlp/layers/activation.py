"""Activations as layers."""

from __future__ import annotations

from typing import Any

from ..activations import choose_activation
from .layer import Layer


class Activation(Layer):
    """An activation as a layer of its own.

    Parameters
    ----------
    activation : str
        One of those of `Dense`.
    slope, alpha : float
        Options of `leaky_relu` and of `elu`, as in `Dense`.

    Examples
    --------
    >>> Activation("leaky_relu", slope=0.1).build(2).forward([[-1.0, 2.0]]).round(3).tolist()
    [[-0.10000000149011612, 2.0]]
    """

    kind = "activation"

    activation: str
    activation_options: dict[str, float]

    def __init__(self, activation: str, *, slope: float = 0.01, alpha: float = 1.0) -> None:
        super().__init__()
        self.activation, self.activation_options = choose_activation(
            "Activation", activation, {"slope": slope, "alpha": alpha}
        )

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {"activation": self.activation, **self.activation_options}
