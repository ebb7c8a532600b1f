"""Which operations each kind of layer becomes; lowering a whole network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..layers import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    LayerNorm,
    MaxAbsScaler,
    MinMaxScaler,
    StandardScaler,
)
from ..layers.layer import Layer, Shape
from ..layers.scalers import Scaler
from ..losses import Formula
from ..regularizers import L1L2
from .lowering import Lowering
from .plan import Plan


def _dense(layer: Dense, into: Lowering) -> None:
    penalty = layer.regularizer or L1L2()
    into.dense(layer.units, l1=penalty.l1, l2=2 * penalty.l2, max_norm=layer.max_norm or 0.0)
    into.activation(layer.activation, *layer.activation_options.values())


def _activation(layer: Activation, into: Lowering) -> None:
    into.activation(layer.activation, *layer.activation_options.values())


def _dropout(layer: Dropout, into: Lowering) -> None:
    into.dropout(layer.rate)


def _noise(layer: GaussianNoise, into: Lowering) -> None:
    into.noise(layer.stddev)


def _layer_norm(layer: LayerNorm, into: Lowering) -> None:
    into.row_norm(layer.epsilon)
    into.affine()


def _batch_norm(layer: BatchNorm, into: Lowering) -> None:
    into.batch_norm(layer.epsilon, layer.momentum)
    into.affine()


def _scaler(layer: Scaler, into: Lowering) -> None:
    into.scale(keeps_zeros=layer.is_built and not layer.center.any())


def _flatten(layer: Flatten, into: Lowering) -> None:
    """No operation: samples are rows of numbers already."""


_RULES: dict[type[Layer], Callable[[Any, Lowering], None]] = {
    Activation: _activation,
    BatchNorm: _batch_norm,
    Dense: _dense,
    Dropout: _dropout,
    Flatten: _flatten,
    GaussianNoise: _noise,
    LayerNorm: _layer_norm,
    MaxAbsScaler: _scaler,
    MinMaxScaler: _scaler,
    StandardScaler: _scaler,
}


def check_kinds(layers: Iterable[Layer]) -> None:
    """Refuse layers that are no kind of our own: the engine runs kinds, and never calls a method of a subclass.

    Raises
    ------
    TypeError
        If the type of a layer is not one of those of `fastmlp.layers`.
    """
    for layer in layers:
        if type(layer) not in _RULES:
            known = ", ".join(sorted(kind.__name__ for kind in _RULES))
            raise TypeError(
                f"{type(layer).__name__}: expected one of the layers {known}, got a class derived from "
                f"{type(layer).__mro__[1].__name__}, whose methods the compiled program would never call; "
                "compose these layers, or call forward, backward and Optimizer.step of several models by hand"
            )


def lower(
    layers: Sequence[Layer],
    input_shape: Shape,
    rows: int,
    dtype: np.dtype,
    *,
    loss: Formula | None = None,
    training: bool = False,
    input_delta: bool = False,
    sparse_input: bool = False,
) -> Plan:
    """Lower a network.

    Parameters
    ----------
    layers : sequence of Layer
        The network.
    input_shape : tuple of int
        Shape of one sample.
    rows : int
        Largest number of rows that run at a time.
    dtype : dtype
        float32 or float64.
    loss : Formula, optional
        End in this loss; without one, in the network's output.
    training : bool
        Whether dropout is active and deltas flow backward.
    input_delta : bool
        Whether the delta of the input is wanted too.
    sparse_input : bool
        Whether the samples are mostly zero (see `schema.SPARSE_BELOW`): faster, with the same bits.

    Returns
    -------
    Plan
        Verified; its parameters are at the same places whatever the other arguments.
    """
    lowering = Lowering(rows, dtype, training=training, input_delta=input_delta, sparse_input=sparse_input)
    lowering.input(input_shape)
    spans = []
    for number, layer in enumerate(layers):
        lowering.layer = number
        start = len(lowering.operations)
        _RULES[type(layer)](layer, lowering)
        spans.append(slice(start, len(lowering.operations)))
    if loss is not None:
        lowering.loss(*loss)
    return lowering.finish(spans)
