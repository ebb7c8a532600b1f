"""Which operations each kind of layer becomes; lowering a whole network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
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

# A method of `Lowering`, and its arguments.
Call = tuple[str, tuple[Any, ...]]

_NO_PENALTY = L1L2()


def _dense(layer: Dense) -> list[Call]:
    penalty = layer.regularizer or _NO_PENALTY
    dense = layer.units, penalty.l1, 2 * penalty.l2, layer.max_norm or 0.0
    return [("dense", dense), ("activation", (layer.activation, *layer.activation_options.values()))]


def _activation(layer: Activation) -> list[Call]:
    return [("activation", (layer.activation, *layer.activation_options.values()))]


def _dropout(layer: Dropout) -> list[Call]:
    return [("dropout", (layer.rate,))]


def _noise(layer: GaussianNoise) -> list[Call]:
    return [("noise", (layer.stddev,))]


def _layer_norm(layer: LayerNorm) -> list[Call]:
    return [("row_norm", (layer.epsilon,)), ("affine", ())]


def _batch_norm(layer: BatchNorm) -> list[Call]:
    return [("batch_norm", (layer.epsilon, layer.momentum)), ("affine", ())]


def _scaler(layer: Scaler) -> list[Call]:
    return [("scale", (layer.is_built and not layer.center.any(),))]


def _flatten(layer: Flatten) -> list[Call]:
    """No operation: samples are rows of numbers already."""
    return []


_RULES: dict[type[Layer], Callable[[Any], list[Call]]] = {
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
    mixed: bool = False,
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
    mixed : bool
        Whether the products of dense layers are of bfloat16, in a network of float32.

    Returns
    -------
    Plan
        Verified; its parameters are at the same places whatever the other arguments.
    """
    described = tuple(tuple(_RULES[type(layer)](layer)) for layer in layers)
    plan = _lowered(
        described, tuple(input_shape), rows, dtype, loss, training, input_delta, sparse_input, mixed
    )
    return plan.with_own_table()


@lru_cache(maxsize=256)
def _lowered(
    layers: tuple[tuple[Call, ...], ...],
    input_shape: Shape,
    rows: int,
    dtype: np.dtype,
    loss: Formula | None,
    training: bool,
    input_delta: bool,
    sparse_input: bool,
    mixed: bool,
) -> Plan:
    """The plan of all networks that become these calls: searches make hundreds of them."""
    lowering = Lowering(
        rows, dtype, training=training, input_delta=input_delta, sparse_input=sparse_input, mixed=mixed
    )
    lowering.input(input_shape)
    spans = []
    for number, calls in enumerate(layers):
        lowering.layer = number
        start = len(lowering.operations)
        for method, arguments in calls:
            getattr(lowering, method)(*arguments)
        spans.append(slice(start, len(lowering.operations)))
    if loss is not None:
        lowering.loss(*loss)
    return lowering.finish(spans)
