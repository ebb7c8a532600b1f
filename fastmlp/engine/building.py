"""From layers to a built network: shapes are checked, memory is allocated, each layer gets its handle."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..checks import look_up
from ..inputs.samples import Inputs, Samples, as_batch
from ..layers.layer import Layer, Shape
from ..optimizers import Optimizer
from . import manual
from .layer_lowering import check_kinds, lower
from .locks import NetworkLock
from .network import PRECISIONS, Network
from .run_arguments import team_rows


def build_network(
    layers: Sequence[Layer], input_shape: Shape, dtype: str, seed: int, lock: NetworkLock | None = None
) -> Network:
    """Build a network, with initial parameters.

    Parameters
    ----------
    layers, input_shape, seed, lock
        As `Network` takes them.
    dtype : str
        Its precision.

    Raises
    ------
    ValueError
        If a layer belongs to another network, or the layers do not fit together.
    """
    check_kinds(layers)
    for position, layer in enumerate(layers):
        if layer.is_built or any(layer is other for other in layers[:position]):
            raise ValueError(f"{layer!r} already belongs to a network; make a new layer for this one")
    number_type, mixed = look_up("dtype", dtype, PRECISIONS)
    widths = _widths(layers, tuple(input_shape))
    rows = team_rows(widths, number_type, 1)
    inference = lower(layers, tuple(input_shape), rows, number_type, mixed=mixed)
    network = Network(layers, input_shape, dtype, seed, inference, lock)
    for position, layer in enumerate(layers):
        layer.attach(Handle(network, position, 1))
    for layer in layers:
        layer.initialize(seed)
    return network


def _widths(layers: Sequence[Layer], shape: Shape) -> list[int]:
    """Numbers of a sample before, between and after the layers; a ValueError where layers do not fit."""
    widths = [math.prod(shape)]
    for layer in layers:
        shape = layer.output_shape(shape)
        widths.append(math.prod(shape))
    if len(shape) != 1:
        raise ValueError(
            f"the network: expected outputs that are rows of numbers, got samples of shape {shape}: add Flatten()"
        )
    return widths


class Handle:
    """Some neighbouring layers of a network, and what can be done with them: views and passes by hand.

    Parameters
    ----------
    network : Network
        Of which the layers are.
    position, count : int
        The first of the layers, and how many there are.
    """

    def __init__(self, network: Network, position: int, count: int) -> None:
        self.network = network
        self.position = position
        self.span = slice(position, position + count)

    def trained_rows(self, arena: np.ndarray | None = None) -> np.ndarray:
        """The layer's trained numbers, or what belongs to them in an arena like `params`: a view."""
        return self.network.trained_rows(self.position, self.network.params if arena is None else arena)

    def constant_rows(self, count: int, arena: np.ndarray | None = None) -> np.ndarray:
        """The layer's rows that no optimizer updates, or what belongs to them in an arena like `params`: a view."""
        return self.network.constant_rows(
            self.position, count, self.network.params if arena is None else arena
        )

    def centers(self, arena: np.ndarray | None = None) -> np.ndarray:
        """The float64 numbers that are subtracted from the network's samples as they are read: a view."""
        centers = self.network.centers(self.network.params if arena is None else arena)
        if centers is None:
            raise RuntimeError("the network does not scale its samples")
        return centers

    def forward(self, X: Inputs) -> np.ndarray:
        """Run the layers forward, as in training; one row of outputs for each of X."""
        network = self.network
        samples, one = as_batch(X, (network.widths[self.position],), network.dtype)
        outputs = self.forward_samples(samples)
        return outputs[0] if one else outputs

    def forward_samples(self, samples: Samples) -> np.ndarray:
        """Run the layers forward on samples that are checked already."""
        return manual.forward(self.network, self.span, samples)

    def backward(self, d_y: ArrayLike) -> np.ndarray:
        """Run the layers backward, after `forward` of the same rows; fill their gradients."""
        return manual.backward(self.network, self.span, d_y)

    def step(self, optimizer: Optimizer) -> None:
        """Update the layers from the gradients of the last `backward`."""
        manual.step(self.network, optimizer, self.span)
